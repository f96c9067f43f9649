import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { ExchangeRow } from './exchange-frame.ts';
import { ExchangeMerge, type ExchangeStep } from './exchange-merge.ts';

const row = (sequence: number, cause = 0): ExchangeRow => ({
  exchange: 'e',
  sequence,
  wave: 0,
  cause,
  index: cause,
  time: sequence,
  acceptedAt: 0,
  event: { sequence, cause },
});

const rowsOf = (sequence: number, count = 1) => Array.from({ length: count }, (_, cause) => row(sequence, cause));
const nothing = { rows: [], watermarks: [] };

function takeAll(merge: ExchangeMerge): ExchangeStep[] {
  const steps: ExchangeStep[] = [];
  for (let step = merge.next(); step; step = merge.next()) steps.push(step);
  return steps;
}

function mergeOf(...lanes: string[]) {
  return new ExchangeMerge(lanes, { handled: 0, position: 1 });
}

describe('a merge of lanes', () => {
  it('pauses a lane that is full and ahead, until the slowest has come along', () => {
    const merge = mergeOf('fast', 'slow');
    let sequence = 0;
    while (!merge.mustPause('fast')) {
      sequence++;
      merge.push(sequence, 'fast', { through: sequence, rows: rowsOf(sequence), watermarks: [] });
      if (merge.next()) throw new Error('given out before the slow lane has come through');
    }
    expect(sequence).toBe(limits.laneRowsMax);
    expect(merge.mustPause('slow')).toBe(false);
    expect(merge.readFrom()).toBe(1);
    merge.push(limits.laneRowsMax + 1, 'slow', { through: 1, ...nothing });
    expect(takeAll(merge).map(({ sequence }) => sequence)).toEqual([1]);
    expect(merge.mustPause('fast')).toBe(false);
    expect(merge.readFrom()).toBe(2);
  });

  it('pauses a lane by what its messages weigh, too', () => {
    const merge = mergeOf('fast', 'slow');
    merge.push(1, 'fast', { through: 1, rows: rowsOf(1), watermarks: [] }, limits.laneBytesMax - 1);
    expect(merge.mustPause('fast')).toBe(false);
    merge.push(2, 'fast', { through: 2, rows: rowsOf(2), watermarks: [] }, 1);
    expect(merge.mustPause('fast')).toBe(true);
    merge.push(3, 'slow', { through: 1, ...nothing });
    takeAll(merge);
    expect(merge.mustPause('fast')).toBe(false);
  });

  it('never pauses the lane that is waited for, however much one source message caused', () => {
    const merge = mergeOf('large', 'other');
    const half = limits.laneRowsMax;
    const rows = rowsOf(1, 2 * half);
    merge.push(1, 'large', { through: 0, rows: rows.slice(0, half), watermarks: [] });
    expect(merge.mustPause('large')).toBe(false);
    merge.push(2, 'other', { through: 5, rows: rowsOf(3), watermarks: [] });
    merge.push(3, 'large', { through: 4, rows: rows.slice(half), watermarks: [] });
    const [first, second] = takeAll(merge);
    expect(first?.waves[0]?.rows).toHaveLength(2 * half);
    expect(second).toMatchObject({ sequence: 3 });
    expect(merge.waiting).toBe(0);
  });

  it('keeps one word of how far a lane has come, the newest, and asks for it again after a restart', () => {
    const merge = mergeOf('idle', 'slow');
    for (let sequence = 1; sequence <= 1_000; sequence++)
      merge.push(sequence, 'idle', { through: sequence, ...nothing }, limits.laneBytesMax);
    // All that these weigh is the last of them.
    merge.push(1_001, 'slow', { through: 500, ...nothing });
    takeAll(merge);
    expect(merge.readFrom()).toBe(1_000);
    merge.push(1_002, 'slow', { through: 1_000, ...nothing });
    takeAll(merge);
    expect(merge.readFrom()).toBe(1_001);
  });

  it('does not ask for messages of an idle lane that it has read, when it goes on after a long time', () => {
    const merge = mergeOf('idle', 'busy');
    merge.push(3, 'idle', { through: 1, ...nothing });
    merge.push(9, 'busy', { through: 1, ...nothing });
    takeAll(merge);
    expect(merge.readFrom()).toBe(4);
    const lastOf = new Map([
      ['idle', 3],
      ['busy', 9],
    ]);
    expect(merge.readFrom({ last: 20, lastOf })).toBe(21);
    // One that has something more is asked for it.
    expect(merge.readFrom({ last: 20, lastOf: new Map([...lastOf, ['idle', 12]]) })).toBe(4);
  });
});
