/** Rows of numbers: found by their keys, as they were written after a restart, bounded. */
import { describe, expect, it } from 'vitest';
import { heldKeys } from './held-keys.ts';
import { NumberRows } from './number-rows.ts';

const rowsOf = (keysMax = 1_000) =>
  new NumberRows<{ pair: number[] }>({
    width: 2,
    keys: heldKeys(['ward', 'bed']),
    keysMax,
    written: (rows, from) => ({ pair: [...rows.subarray(from, from + 2)] }),
    held: ({ pair }, rows, from) => rows.set(pair, from),
  });

describe('a state of rows', () => {
  it('finds them by their keys, however many come, and has them again after a restart', () => {
    const state = rowsOf();
    for (let one = 0; one < 100; one++) {
      const slot = state.add(one * 3, one);
      expect(slot).toBe(one);
      expect([...state.rows.subarray(slot * 2, slot * 2 + 2)]).toEqual([0, 0]);
      state.rows.set([one, -one], slot * 2);
    }
    const again = rowsOf();
    again.restore(structuredClone(state.snapshot()));
    for (const each of [state, again]) {
      expect(each.size).toBe(100);
      expect(each.slotOf(1)).toBe(-1);
      const slot = each.slotOf(42 * 3);
      expect(each.keyAt(slot)).toBe(42 * 3);
      expect([...each.rows.subarray(slot * 2, slot * 2 + 2)]).toEqual([42, -42]);
    }
    expect(again.snapshot()).toEqual(state.snapshot());
    expect(again.snapshot().values[3]).toEqual({ pair: [3, -3] });
  });

  it('holds no more keys than it may', () => {
    const state = rowsOf(2);
    state.add(1, 0);
    state.add(2, 0);
    expect(() => state.add(3, 0)).toThrow('more than 2 keys');
  });
});
