/** The windows that the options ask for, checked. */
import {
  type Checker,
  type GlanceAtState,
  isZone,
  type OperatorContext,
  type OperatorHandler,
} from '../../runtime/stream/index.ts';
import { glanceAtPanes, glanceAtSessions, glanceAtTotals } from './glance.ts';
import { GlobalRows } from './global-rows.ts';
import { GlobalWindow } from './global-window.ts';
import { makeGrid, midnightOffsetMs, type WindowGrid } from './grid.ts';
import { GridWindows } from './grid-windows.ts';
import { type HeldFor, panesFor, sessionsFor } from './held-for.ts';
import { aggregateLimits } from './limits.ts';
import type { GridOptions, WindowOptions } from './options.ts';
import { PaneWindows } from './pane-windows.ts';
import { SessionRows } from './session-rows.ts';
import { SessionWindows } from './session-windows.ts';
import type { AggregateSetting } from './setting.ts';
import type { BestRule } from './window-totals.ts';

const dayMs = 86_400_000;

export interface WindowPlan {
  /** Cells held for each key, at most or as a rule. */
  readonly cellsPerKey: number;
  /** Whether late events can make a given result's window one that is no more. */
  readonly withdraws: boolean;
  readonly glance: GlanceAtState;
  /** Absent: a key has one window. */
  readonly heldFor?: HeldFor;
  /** Whether handlers of this setting take events as columns. */
  readsColumns?(setting: AggregateSetting): boolean;
  create(context: OperatorContext, setting: AggregateSetting): OperatorHandler;
}

export function planWindow(window: WindowOptions, check: Checker, best?: BestRule): WindowPlan {
  if (typeof window.early === 'number' && !isWholeTime(window.early))
    check.problem(['window', 'early'], 'early results need a time of at least 1ms, in whole ms');
  const earlyMs = typeof window.early === 'number' ? window.early : undefined;
  if ('global' in window) {
    const span = { perChange: window.early === 'change', forgetMs: window.forget };
    if (typeof window.early === 'number' && (window.forget ?? window.early) < window.early)
      check.problem(['window', 'forget'], 'a key would be forgotten before its result is given', 'make it longer');
    const isPlain = !span.perChange && span.forgetMs === undefined;
    const rowsOf = ({ rowCells, thingOf }: AggregateSetting) => (isPlain && !thingOf ? rowCells : undefined);
    return {
      cellsPerKey: 1,
      withdraws: false,
      glance: glanceAtTotals({ earlyMs }),
      readsColumns: (setting) => rowsOf(setting)?.takesColumns === true,
      create(context, setting) {
        const plan = rowsOf(setting);
        return plan ? new GlobalRows(context, setting, plan.cells()) : new GlobalWindow(context, setting, span);
      },
    };
  }
  if ('session' in window) {
    if (!isWholeTime(window.session)) check.problem(['window', 'session'], 'a gap is at least 1ms, in whole ms');
    const touchingMs = window.touching === 'together' ? 1 : 0;
    const span = { gapMs: window.session, latenessMs: window.lateness, touchingMs };
    const isOnce = window.lateness === 0 && window.early === undefined;
    const cellsOf = ({ numberCells }: AggregateSetting) => (isOnce ? numberCells : undefined);
    return {
      cellsPerKey: 1,
      withdraws: span.latenessMs > 0,
      glance: glanceAtSessions({ earlyMs }),
      heldFor: sessionsFor,
      readsColumns: (setting) => cellsOf(setting)?.addAll !== undefined,
      create(context, setting) {
        const cells = cellsOf(setting);
        return cells ? new SessionRows(context, { setting, cells, span }) : new SessionWindows(context, setting, span);
      },
    };
  }
  const grid = gridOf(window, check);
  // Windows that are given once; those of several panes need values that can be taken out of a total again.
  const areOnce = window.lateness === 0 && window.early === undefined;
  const isOnePane = grid.sizeMs === grid.everyMs;
  const areRows = ({ kind, numberCells }: AggregateSetting) =>
    numberCells !== undefined && (isOnePane || (numberCells.areTotals && kind.monotone.length === 0));
  return {
    cellsPerKey: Math.ceil((grid.sizeMs + grid.latenessMs) / grid.paneMs),
    withdraws: false,
    glance: glanceAtPanes(grid, { earlyMs }),
    heldFor: panesFor,
    readsColumns: (setting) => areOnce && areRows(setting) && setting.numberCells?.addAll !== undefined,
    create: (context, setting) =>
      best || (areOnce && areRows(setting))
        ? new PaneWindows(context, setting, { grid, rule: best })
        : new GridWindows(context, setting, grid),
  };
}

function isWholeTime(timeMs: number): boolean {
  return Number.isInteger(timeMs) && timeMs >= 1;
}

function gridOf(window: GridOptions, check: Checker): WindowGrid {
  const tumbling = 'tumbling' in window;
  const sizeMs = tumbling ? window.tumbling : window.sliding;
  const everyMs = tumbling ? window.tumbling : window.every;
  const complain = (name: string, message: string, suggestion?: string) =>
    check.problem(['window', name], message, suggestion);
  if (!isWholeTime(sizeMs)) complain(tumbling ? 'tumbling' : 'sliding', 'a window is at least 1ms, in whole ms');
  if (!tumbling && !isWholeTime(everyMs)) complain('every', 'a step is at least 1ms, in whole ms');
  if (everyMs > sizeMs) complain('every', 'the step is longer than the window: some events would be in none');
  const grid = makeGrid({
    sizeMs: Math.max(1, Math.round(sizeMs)),
    everyMs: Math.max(1, Math.round(everyMs)),
    offsetMs: offsetOf(window, everyMs, check),
    latenessMs: window.lateness,
  });
  const panes = grid.sizeMs / grid.paneMs;
  const { panesPerWindowMax } = aggregateLimits;
  if (!Number.isInteger(window.offset ?? 0)) complain('offset', 'windows begin at a whole ms');
  if (panes > panesPerWindowMax) {
    const message = `a window would have ${panes} panes, more than ${panesPerWindowMax} (panesPerWindowMax)`;
    complain('every', message, 'make the step a longer part of the size');
  }
  return grid;
}

function offsetOf({ offset = 0, zone }: GridOptions, everyMs: number, check: Checker): number {
  if (zone === undefined) return offset;
  const path = ['window', 'zone'];
  if (everyMs % dayMs !== 0)
    check.problem(path, 'a zone says when days begin, and these windows are not whole days', 'take zone out');
  if (!isZone(zone)) {
    check.problem(path, `"${zone}" is not a time zone`, 'name one of the IANA list, such as Asia/Ho_Chi_Minh');
    return offset;
  }
  const midnight = midnightOffsetMs(zone);
  if (midnight === undefined)
    check.problem(path, `${zone} changes its clocks, so that its days are not all 24 hours`, 'use offset instead');
  return offset + (midnight ?? 0);
}
