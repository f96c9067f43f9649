import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyedStateSnapshot, TimersSnapshot } from '../stream/keyed-state.ts';
import { columnsOf } from '../stream/state-columns.ts';
import { packSnapshot, unpackSnapshot } from './pack-snapshot.ts';
import type { StageSnapshot } from './stage-machine.ts';

function snapshotOf(states: Record<string, KeyedStateSnapshot>, timers: TimersSnapshot): StageSnapshot {
  const runner = {
    states: new Map(Object.entries(states)),
    timers,
    inputs: [],
    watermark: 5,
    idle: false,
    forwarded: 4,
    counts: { in: 1, out: 2, filtered: 3, late: 4, dropped: 5, dead: 6 },
  };
  const accounting = { in: 0, delivered: 0, filtered: 0, late: 0, dropped: 0, dead_lettered: 0, dropped_by_reason: {} };
  return {
    sequence: 7,
    nodes: new Map([['node', runner]]),
    sources: new Map(),
    accounting,
  } as unknown as StageSnapshot;
}

const throughDisk = (snapshot: StageSnapshot) => unpackSnapshot(deserialize(serialize(packSnapshot(snapshot))));

const number = fc.double({ noNaN: false });
const flat = fc.record({ time: number, count: number });
const shaped = fc.record({
  order: number,
  key: fc.oneof(fc.string(), number),
  held: fc.array(number),
  changed: fc.boolean(),
  older: fc.constant(null),
});
const value = fc.oneof(
  number,
  flat,
  shaped,
  fc.record({ count: number, time: number }),
  fc.record({ time: number, count: fc.option(number, { nil: undefined }) }, { requiredKeys: ['time'] }),
  fc.string(),
  fc.constant(null),
  fc.array(number),
  fc.dictionary(fc.string(), number),
  fc.array(fc.tuple(fc.string(), number)).map((pairs) => new Map(pairs)),
);
const key = fc.oneof(fc.string(), fc.integer());
/** With texts alone as keys there are enough to be packed, now and then. */
const stateOf = (values: fc.Arbitrary<unknown>, keys: fc.Arbitrary<string | number> = key) =>
  fc.array(fc.tuple(keys, values, number), { maxLength: 40 }).map(
    (list): KeyedStateSnapshot => ({
      ...columnsOf(new Map(list.map(([one, what, time]) => [one, { value: what, time }]))),
      evicted: list.length,
    }),
  );
const timers = fc.array(fc.record({ key, name: fc.string(), time: number, order: fc.nat() }), { maxLength: 20 });

describe('a packed snapshot', () => {
  it('comes back as it was, in the same order', () => {
    const states = fc.record({
      flat: stateOf(flat),
      shaped: stateOf(shaped),
      numbers: stateOf(number),
      mixed: stateOf(value),
      ascii: stateOf(flat, fc.nat().map(String)),
      texts: stateOf(number, fc.string({ unit: 'binary' })),
    });
    fc.assert(
      fc.property(states, timers, (given, pending) => {
        const snapshot = snapshotOf(given, { pending, nextOrder: pending.length });
        const back = throughDisk(snapshot);
        expect(back).toEqual(snapshot);
        for (const [name, { values }] of snapshot.nodes.get('node')?.states ?? []) {
          const found = back.nodes.get('node')?.states.get(name)?.values;
          const shapes = [...(found ?? [])].map((one) => Object.keys(one ?? {}));
          expect(shapes).toEqual([...values].map((one) => Object.keys(one ?? {})));
        }
      }),
    );
  });
});
