/** The windows that the options ask for, checked. */
import type { Checker } from '../../runtime/stream/index.ts';
import { makeGrid, midnightOffsetMs, type WindowGrid } from './grid.ts';
import { aggregateLimits } from './limits.ts';
import type { WindowOptions } from './options.ts';

const dayMs = 86_400_000;

export function gridOf(window: WindowOptions, check: Checker): WindowGrid {
  const sizeMs = 'tumbling' in window ? window.tumbling : window.sliding;
  const everyMs = 'tumbling' in window ? window.tumbling : window.every;
  const sizeName = 'tumbling' in window ? 'tumbling' : 'sliding';
  const complain = (name: string, message: string, suggestion?: string) =>
    check.problem(['window', name], message, suggestion);
  if (!Number.isInteger(sizeMs) || sizeMs < 1) complain(sizeName, 'a window is at least 1ms, in whole ms');
  if (!Number.isInteger(everyMs) || everyMs < 1) complain('every', 'a step is at least 1ms, in whole ms');
  if (everyMs > sizeMs)
    complain(
      'every',
      'the step is longer than the window, so that some events would be in none',
      'make it at most the size',
    );
  const grid = makeGrid({
    sizeMs: Math.max(1, Math.round(sizeMs)),
    everyMs: Math.max(1, Math.round(everyMs)),
    offsetMs: offsetOf(window, everyMs, check),
    latenessMs: window.lateness,
  });
  const panes = grid.sizeMs / grid.paneMs;
  if (panes > aggregateLimits.panesPerWindowMax) {
    const message = `a window would have ${panes} panes, more than ${aggregateLimits.panesPerWindowMax} (panesPerWindowMax)`;
    complain('every', message, 'make the step a longer part of the size');
  }
  if (window.early !== undefined && window.early < 1) complain('early', 'early results need a time of at least 1ms');
  return grid;
}

function offsetOf({ offset = 0, zone }: WindowOptions, everyMs: number, check: Checker): number {
  if (zone === undefined) return offset;
  const path = ['window', 'zone'];
  if (everyMs % dayMs !== 0)
    check.problem(path, 'a zone says when days begin, and these windows are not whole days', 'take zone out');
  let midnight: number | undefined;
  try {
    midnight = midnightOffsetMs(zone);
  } catch {
    check.problem(path, `"${zone}" is not a time zone`, 'name one of the IANA list, such as Asia/Ho_Chi_Minh');
    return offset;
  }
  if (midnight === undefined)
    check.problem(path, `${zone} changes its clocks, so that its days are not all 24 hours`, 'use offset instead');
  return offset + (midnight ?? 0);
}
