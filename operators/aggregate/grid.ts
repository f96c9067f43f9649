/** Windows of one size at equal steps, [start, end), and the panes that they share. */
import { zoneOffsetMs } from '../../runtime/stream/index.ts';

export interface WindowGrid {
  readonly sizeMs: number;
  readonly everyMs: number;
  /** Start of one of the windows; the others are whole steps away. */
  readonly offsetMs: number;
  readonly latenessMs: number;
  /** The longest time of which all windows are made: the greatest common divisor of size and step. */
  readonly paneMs: number;
}

export function makeGrid(window: Omit<WindowGrid, 'paneMs'>): WindowGrid {
  return { ...window, paneMs: greatestCommonDivisor(window.sizeMs, window.everyMs) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function paneStartOf({ paneMs, offsetMs }: WindowGrid, time: number): number {
  return Math.floor((time - offsetMs) / paneMs) * paneMs + offsetMs;
}

/** End of the first window that ends after a time: of those that hold the time, the one that closes first. */
export function firstEndAfter({ sizeMs, everyMs, offsetMs }: WindowGrid, time: number): number {
  return (Math.floor((time - sizeMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs + sizeMs;
}

/** End of the last window that holds a time. */
export function lastEndOf({ sizeMs, everyMs, offsetMs }: WindowGrid, time: number): number {
  return Math.floor((time - offsetMs) / everyMs) * everyMs + offsetMs + sizeMs;
}

/** Nothing before this time is needed once the watermark has come to `watermark`. */
export function neededFrom(grid: WindowGrid, watermark: number): number {
  return Number.isFinite(watermark) ? firstEndAfter(grid, watermark - grid.latenessMs) - grid.sizeMs : watermark;
}

/**
 * The offset of local midnight, ms, for windows of whole days in a zone. Undefined for a zone that changes its clocks, where days
 * have 23 or 25 hours.
 */
export function midnightOffsetMs(zone: string): number | undefined {
  const offsets = new Set<number | null>();
  for (let year = 2000; year < 2040; year++) {
    for (const month of [0, 6]) offsets.add(zoneOffsetMs(zone, Date.UTC(year, month, 15)));
  }
  const [offsetMs] = offsets;
  return offsets.size === 1 && typeof offsetMs === 'number' ? 0 - offsetMs : undefined;
}
