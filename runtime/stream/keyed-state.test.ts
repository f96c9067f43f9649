import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { KeyTexts, packKeys, withPackedKeys } from './key-texts.ts';
import { EventTimers, KeyedStateMap } from './keyed-state.ts';
import type { StateKey } from './operator-state.ts';

const saved = <T>(value: T): T => deserialize(serialize(value)) as T;

describe('keyed state', () => {
  it('keeps values by key, and iterates in the order of insertion', () => {
    const state = new KeyedStateMap<string>();
    state.set('b', 'first', 1);
    state.set('a', 'second', 2);
    state.set('b', 'again', 3);
    expect([...state.entries()]).toEqual([
      ['b', 'again'],
      ['a', 'second'],
    ]);
    expect([state.get('a'), state.get('x'), state.has('b'), state.size]).toEqual(['second', undefined, true, 2]);
    expect([state.delete('a'), state.delete('a')]).toEqual([true, false]);
  });

  it('tells the latest time with which a key was set', () => {
    const state = new KeyedStateMap<string>();
    state.set('a', 'first', 5);
    state.set('a', 'older', 3);
    expect([state.entry('a'), state.entry('x')]).toEqual([{ value: 'older', time: 5 }, undefined]);
  });

  it('takes keys up without reading them, and reads those alone that are looked up', () => {
    const keys = Array.from({ length: 100 }, (_, at) => `BN-${at}`);
    const numbers = Float64Array.from(keys, (_, at) => at);
    const packed = packKeys(keys) as NonNullable<ReturnType<typeof packKeys>>;
    const readOne = vi.spyOn(KeyTexts.prototype, 'at');
    const state = new KeyedStateMap<number>();
    state.restore(withPackedKeys(packed, { times: numbers, values: numbers, evicted: 3 }));
    expect([state.size, state.evicted, readOne.mock.calls.length]).toEqual([100, 3, 0]);
    expect([state.get('BN-7'), state.has('BN-100')]).toEqual([7, false]);
    expect(readOne).toHaveBeenCalledTimes(1);
    readOne.mockRestore();
    expect(state.snapshot()).toEqual({ keys, times: numbers, values: numbers, evicted: 3 });
  });

  it('writes values down in another form where it is told how, and takes them back', () => {
    const values = {
      written: (value: { n: number }, key: StateKey) => `${key} ${value.n}`,
      held: (text: unknown) => ({ n: Number(String(text).split(' ')[1]) }),
    };
    const state = new KeyedStateMap<{ n: number }>({ values });
    state.set('a', { n: 1 }, 5);
    state.set('b', { n: 2 }, 6);
    expect(state.snapshot()).toMatchObject({ keys: ['a', 'b'], values: ['a 1', 'b 2'] });
    expect([state.entryOfWritten('b'), state.entryOfWritten('x')]).toEqual([{ value: 'b 2', time: 6 }, undefined]);
    const restored = new KeyedStateMap<{ n: number }>({ values });
    restored.restore(saved(state.snapshot()));
    expect([...restored.entries()]).toEqual([...state.entries()]);
  });

  it('takes the number 1 and the text "1" for two keys', () => {
    const state = new KeyedStateMap<string>();
    state.set(1, 'number', 0);
    state.set('1', 'text', 0);
    expect([state.get(1), state.get('1')]).toEqual(['number', 'text']);
  });

  it('forgets a key that nobody set for its time, counted in event time', () => {
    const state = new KeyedStateMap<number>({ ttlMs: 10 });
    state.set('a', 1, 100);
    state.set('b', 1, 105);
    state.expire(109);
    expect(state.size).toBe(2);
    state.set('a', 2, 108);
    state.expire(115);
    expect([...state.entries()]).toEqual([['a', 2]]);
    state.expire(118);
    expect(state.size).toBe(0);
  });

  it('a late set does not make a key older', () => {
    const state = new KeyedStateMap<number>({ ttlMs: 10 });
    state.set('a', 1, 100);
    state.set('a', 2, 50);
    state.expire(105);
    expect(state.get('a')).toBe(2);
  });

  it('at its bound forgets the key set longest ago, and counts it', () => {
    const state = new KeyedStateMap<number>({ keysMax: 2, ttlMs: 1_000 });
    state.set('a', 1, 1);
    state.set('b', 1, 2);
    state.set('a', 2, 3);
    state.set('c', 1, 4);
    expect([...state.entries()].map(([key]) => key)).toEqual(['a', 'c']);
    expect(state.evicted).toBe(1);
  });

  it('behaves as a plain map with times does, restarts included', () => {
    const ttlMs = 50;
    const move = fc.oneof(
      fc.record({
        kind: fc.constant('set' as const),
        key: fc.constantFrom<StateKey>('a', 'b', 'c', 1, 2),
        n: fc.nat(200),
      }),
      fc.record({
        kind: fc.constant('delete' as const),
        key: fc.constantFrom<StateKey>('a', 'b', 1),
        n: fc.constant(0),
      }),
      fc.record({ kind: fc.constant('restart' as const), key: fc.constant('a'), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        let state = new KeyedStateMap<number>({ ttlMs });
        const model = new Map<StateKey, { value: number; time: number }>();
        for (const [index, { kind, key, n }] of moves.entries()) {
          if (kind === 'restart') {
            const snapshot = saved(state.snapshot());
            state = new KeyedStateMap<number>({ ttlMs });
            state.restore(snapshot);
          } else if (kind === 'delete') expect(state.delete(key)).toBe(model.delete(key));
          else {
            state.set(key, index, n);
            model.set(key, { value: index, time: Math.max(n, model.get(key)?.time ?? 0) });
          }
          expect(new Map(state.entries())).toEqual(new Map([...model].map(([name, { value }]) => [name, value])));
        }
        // All of it goes once the watermark is beyond every entry.
        const newest = Math.max(0, ...[...model.values()].map(({ time }) => time));
        state.expire(newest + ttlMs);
        expect(state.size).toBe(0);
      }),
    );
  });

  it('never forgets a key before its time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.nat(9), time: fc.nat(500) }), { maxLength: 80 }),
        fc.nat(600),
        (sets, watermark) => {
          const state = new KeyedStateMap<number>({ ttlMs: 100 });
          const newest = new Map<number, number>();
          for (const { key, time } of sets) {
            state.set(key, time, time);
            newest.set(key, Math.max(time, newest.get(key) ?? 0));
          }
          state.expire(watermark);
          for (const [key, time] of newest) if (time + 100 > watermark) expect(state.has(key)).toBe(true);
        },
      ),
    );
  });
});

/** What timers mean, written in the plainest way. */
class NaiveTimers {
  private list: { key: StateKey; name: string; time: number; order: number }[] = [];
  private order = 0;

  set(key: StateKey, name: string, time: number): void {
    const at = this.list.findIndex((timer) => timer.key === key && timer.name === name);
    if (at >= 0 && this.list[at]?.time === time) return;
    if (at >= 0) this.list.splice(at, 1);
    this.list.push({ key, name, time, order: this.order++ });
  }

  clear(key: StateKey, name: string): void {
    this.list = this.list.filter((timer) => timer.key !== key || timer.name !== name);
  }

  takeDue(watermark: number) {
    const [next] = this.list
      .filter(({ time }) => time <= watermark)
      .sort((a, b) => a.time - b.time || a.order - b.order);
    if (next) this.list = this.list.filter((timer) => timer !== next);
    return next;
  }

  get size(): number {
    return this.list.length;
  }
}

describe('timers', () => {
  const key = fc.constantFrom<StateKey>('a', 'b', 1, '1');
  const name = fc.constantFrom('close', 'remind');
  const move = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, name, n: fc.nat(50) }),
    fc.record({ kind: fc.constant('clear' as const), key, name, n: fc.constant(0) }),
    fc.record({ kind: fc.constant('take' as const), key, name, n: fc.nat(50) }),
    fc.record({ kind: fc.constant('restart' as const), key, name, n: fc.constant(0) }),
  );

  it('come due by time, then by the order in which they were set, as in the plainest list', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 120 }), (moves) => {
        let timers = new EventTimers();
        const naive = new NaiveTimers();
        for (const one of moves) {
          if (one.kind === 'set') for (const each of [timers, naive]) each.set(one.key, one.name, one.n);
          if (one.kind === 'clear') for (const each of [timers, naive]) each.clear(one.key, one.name);
          if (one.kind === 'take') expect(timers.takeDue(one.n)).toEqual(naive.takeDue(one.n));
          if (one.kind === 'restart') {
            const snapshot = saved(timers.snapshot());
            timers = new EventTimers();
            timers.restore(snapshot);
          }
          expect(timers.size).toBe(naive.size);
        }
        for (;;) {
          const due = timers.takeDue(Number.POSITIVE_INFINITY);
          expect(due).toEqual(naive.takeDue(Number.POSITIVE_INFINITY));
          if (!due) break;
        }
      }),
      { numRuns: 300 },
    );
  });
});
