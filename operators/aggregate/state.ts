/** What open windows hang on: the key, where windows begin and end, and which values their cells hold, by place and not by name. */
import type { BoundInput, NodeState, StateBasis, StateKey, StateMigration } from '../../runtime/stream/index.ts';
import { agree, expressionBasis, fieldsBasis, same } from '../support/state-basis.ts';
import type { Cell } from './cell.ts';
import type { Total } from './global-window.ts';
import { type Held, heldOf } from './held.ts';
import { listedPanesMigration } from './listed-panes.ts';
import { mapState } from './map-state.ts';
import type { AggregateOptions } from './options.ts';
import type { PaneGroup } from './pane-groups.ts';

export function aggregateBasis(args: {
  options: AggregateOptions;
  inputs: Readonly<Record<string, BoundInput>>;
}): StateBasis {
  const { key = [], of, window, values, best } = args.options;
  const schema = args.inputs.from?.schema;
  // Early results are given anew from what there is, and how long a key is remembered is decided anew with each event.
  const { early: _early, forget: _forget, ...placed } = { lateness: 0, forget: 0, ...window };
  const { lateness, ...grid } = placed;
  return {
    key: fieldsBasis(key, schema),
    ...(of && { of: fieldsBasis(of, schema) }),
    // The best are chosen anew of each window; but cells are kept in another way.
    ...(best && { best: true }),
    window: grid,
    latenessMs: lateness,
    values: Object.values(values).map((text) => expressionBasis(text, schema)),
  };
}

type Change = { readonly before: StateBasis; readonly after: StateBasis };

function valuesOf(basis: StateBasis): readonly StateBasis[] {
  return basis.values as readonly StateBasis[];
}

/** Values that are taken out or stand in another order, and another lateness. A new value would be wrong for windows that are open. */
export const aggregateMigrations: readonly StateMigration[] = [
  listedPanesMigration,
  {
    summary: 'values that are still wanted stay in open windows; windows that were closed for good stay closed',
    from: 2,
    to: 2,
    basis(before, after) {
      const isKept = valuesOf(after).every((value) => valuesOf(before).some((one) => same(one, value)));
      return isKept && agree(before, after, { except: ['values', 'latenessMs'] }) ? after : null;
    },
    migrate(state, change) {
      return keepClosed(pickValues(state, change), change);
    },
  },
];

function pickValues(state: NodeState, { before, after }: Change): NodeState {
  if (same(valuesOf(before), valuesOf(after))) return state;
  const places = valuesOf(after).map((value) => valuesOf(before).findIndex((one) => same(one, value)));
  // Two values of one call have a cell each: each is a copy of its own.
  const pick = (cell: Cell): Cell => places.map((place) => structuredClone(cell[place]));
  return mapState(state, (name, value) => {
    if (name === 'totals') return pickTotal(value as Total, pick);
    if (name === 'panes') return pickPane(value as Map<StateKey, Cell>, pick);
    if (name !== 'groups') return value;
    const group = value as PaneGroup | { readonly sessions: readonly { readonly cell: Cell }[] };
    if ('sessions' in group)
      return { ...group, sessions: group.sessions.map((one) => ({ ...one, cell: pick(one.cell) })) };
    const pickHeld = (held: Held) => heldOf(pick(valuesOf(before).length === 1 ? [held] : (held as Cell)));
    const older = group.older?.map((pane) => ({ ...pane, held: pickHeld(pane.held) })) ?? null;
    // The running total is made anew from the panes.
    return { ...group, held: pickHeld(group.held), older, running: null };
  });
}

/** Of windows of which the best come out. */
function pickPane(pane: Map<StateKey, Cell>, pick: (cell: Cell) => Cell): Map<StateKey, Cell> {
  return new Map([...pane].map(([key, cell]) => [key, pick(cell)] as const));
}

/** Values that stand in another order are given anew. */
function pickTotal({ given: _given, before, ...others }: Total, pick: (cell: Cell) => Cell): Total {
  const { cell, things } = others;
  const total = before ? { ...others, before: pickTotal(before, pick) } : others;
  if (!things) return { ...total, cell: pick(cell) };
  const kept = [...things].map(([name, thing]) => [name, { ...thing, values: pick(thing.values) }] as const);
  return { ...total, cell: pick(cell), things: new Map(kept) };
}

/** With a longer lateness events come again for windows whose panes were forgotten: they stay late. */
function keepClosed(state: NodeState, { before, after }: Change): NodeState {
  const [old, now] = [Number(before.latenessMs), Number(after.latenessMs)];
  if (now <= old) return state;
  return mapState(state, (name, value) => {
    if (name !== 'progress') return value;
    const progress = value as { readonly closed: number; readonly floor?: number };
    return { ...progress, floor: Math.max(progress.floor ?? Number.NEGATIVE_INFINITY, progress.closed - old) };
  });
}
