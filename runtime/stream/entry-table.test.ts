/** The table against a plain `Map`, with hashes that are good and with hashes that all but meet. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { EntryTable } from './entry-table.ts';
import * as hashes from './key-hash.ts';
import { packKeys, withPackedKeys } from './key-texts.ts';
import type { StateKey } from './operator-state.ts';
import { columnsOf, entriesOf, entryOf, type StateColumns } from './state-columns.ts';

const { hashOf } = hashes;
const hashing = vi.hoisted(() => ({ kinds: 0 }));
vi.mock('./key-hash.ts', async (original) => {
  const real = await original<typeof hashes>();
  const poor = (hash: number) => (hashing.kinds > 0 ? hash % hashing.kinds : hash);
  return {
    hashOf: (key: StateKey) => poor(real.hashOf(key)),
    hashOfPart: (...part: Parameters<typeof real.hashOfPart>) => poor(real.hashOfPart(...part)),
  };
});

/** Numbers alone stand in another way. */
const numberKey = fc.oneof(fc.nat(40), fc.constantFrom<StateKey>(0, -0, 0.5, -1, 2 ** 40, Number.POSITIVE_INFINITY));
const anyKey = fc.oneof(
  fc.nat(40),
  fc.nat(40).map(String),
  fc.constantFrom<StateKey>(0, -0, Number.NaN, 0.5, -1, 2 ** 40, '', 'a\u0000', 'a', 'Bệnh viện', 'x'.repeat(99)),
);
/** Enough of them to be packed. */
const textKey = fc.nat(60).map((at) => `key ${at}`);
const moveOf = (key: fc.Arbitrary<StateKey>) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('oldest' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), key }) },
  );

const moves = fc.oneof(
  fc.array(moveOf(numberKey), { maxLength: 200 }),
  fc.array(moveOf(anyKey), { maxLength: 200 }),
  fc.array(moveOf(textKey), { maxLength: 200, size: 'max' }),
  // A text comes to numbers.
  fc
    .tuple(fc.array(moveOf(numberKey), { maxLength: 60 }), fc.array(moveOf(anyKey), { maxLength: 60 }))
    .map((two) => two.flat()),
);

/** As a checkpoint gives it back, with keys that nobody has read where they can be packed. */
function throughCheckpoint(columns: StateColumns): StateColumns {
  const packed = packKeys(columns.keys);
  const { keys: _, ...rest } = structuredClone(columns);
  return packed ? withPackedKeys(structuredClone(packed), rest) : structuredClone(columns);
}

const contents = (table: EntryTable<number | string>) =>
  [...table.slots()].map((slot) => [table.keyAt(slot), table.valueAt(slot), table.timeAt(slot)]);

describe.each([
  ['hashes as they are', 0],
  ['three hashes for all keys', 3],
  ['one hash for all keys', 1],
])('a table of entries, with %s', (_name, kinds) => {
  beforeEach(() => {
    hashing.kinds = kinds;
  });

  it.each([
    ['numbers', (at: number) => at],
    ['texts and numbers', (at: number) => (at % 7 === 3 ? `at ${at}` : at)],
  ])('holds what a map of %s holds, in its order', (kind, valueOf) => {
    fc.assert(
      fc.property(moves, (list) => {
        let table = new EntryTable<number | string>();
        const model = new Map<StateKey, { value: number | string; time: number }>();
        for (const [at, one] of list.entries()) {
          const value = valueOf(at);
          const slot = table.find(one.key);
          expect(slot >= 0).toBe(model.has(one.key));
          if (one.kind === 'set') {
            if (slot >= 0) table.put(slot, value, at / 2);
            else table.append(one.key, value, at / 2);
            model.set(one.key, { value, time: at / 2 });
          } else if (one.kind === 'remove') {
            if (slot >= 0) table.remove(slot);
            model.delete(one.key);
          } else if (one.kind === 'clear') {
            table.clear();
            model.clear();
          } else if (one.kind === 'oldest') {
            const oldest = table.oldest();
            const [first] = model.keys();
            expect(oldest >= 0 ? table.keyAt(oldest) : undefined).toEqual(first);
          } else {
            const columns = table.columns();
            expect(entriesOf(columns)).toEqual(model);
            const again = columnsOf(model);
            expect({ ...again, values: [...again.values] }).toEqual({ ...columns, values: [...columns.values] });
            if (kind === 'numbers') expect(columns.values).toBeInstanceOf(Float64Array);
            expect(entryOf(columns, 'x')).toEqual(model.get('x'));
            table = new EntryTable();
            table.load(throughCheckpoint(columns));
          }
          expect(table.size).toBe(model.size);
        }
        expect(contents(table)).toEqual([...model].map(([name, { value, time }]) => [name, value, time]));
      }),
    );
  });

  it('takes up keys that nobody has read, and reads them when they are wanted', () => {
    const keys = Array.from({ length: 300 }, (_, at) => `BN-${String(at).padStart(at % 20, '0')}`);
    const packed = packKeys(keys);
    const columns = withPackedKeys(packed as NonNullable<typeof packed>, {
      times: Float64Array.from(keys, (_, at) => at),
      values: Float64Array.from(keys, (_, at) => at),
    });
    const table = new EntryTable<number | string>();
    table.load(columns);
    for (const [at, key] of keys.entries()) if (at % 3 === 0) expect(table.find(key)).toBe(at);
    expect([table.find('BN-300'), table.find(''), table.find(7), table.keyAt(1)]).toEqual([-1, -1, -1, 'BN-1']);
    for (const [at, key] of keys.entries()) if (at % 2 === 0) table.remove(table.find(key));
    table.append('Bệnh viện', 'a', 0);
    expect(table.columns().keys).toEqual([...keys.filter((_, at) => at % 2 === 1), 'Bệnh viện']);
    // The columns themselves still have all.
    expect(columns.keys).toEqual(keys);
    expect({ ...columns }.keys).toEqual(keys);
  });

  it('is gone through while it changes: what goes does not come, what comes does, nothing comes twice', () => {
    const table = new EntryTable<number>();
    for (let one = 0; one < 30; one++) table.append(one, one, 0);
    const seen: StateKey[] = [];
    for (const slot of table.slots()) {
      const now = table.keyAt(slot);
      seen.push(now);
      if (typeof now === 'number' && now % 2 === 0 && now < 30) {
        table.remove(table.find(now));
        if (now < 28) table.remove(table.find(now + 1));
        table.append(`after ${now}`, now, 0);
      }
    }
    const evens = Array.from({ length: 15 }, (_, at) => 2 * at);
    expect(seen).toEqual([...evens, 29, ...evens.map((one) => `after ${one}`)]);
  });

  it('is emptied while it is gone through, and takes new keys', () => {
    for (const keyOf of [(one: number) => one, (one: number) => `key ${one}`]) {
      const table = new EntryTable<number>();
      for (let one = 0; one < 300; one++) table.append(keyOf(one), one, 0);
      const seen: number[] = [];
      for (const slot of table.slots()) {
        seen.push(table.valueAt(slot));
        if (seen.length !== 5) continue;
        table.clear();
        expect([table.size, table.oldest(), table.find(keyOf(4))]).toEqual([0, -1, -1]);
        table.append(keyOf(4), 1_000, 0);
      }
      expect(seen).toEqual([0, 1, 2, 3, 4, 1_000]);
      table.clear();
      table.append(keyOf(0), 7, 0);
      table.clear();
      expect(table.columns()).toMatchObject({ keys: [], times: new Float64Array(0) });
    }
  });

  it('keeps its room while keys come and go', () => {
    const table = new EntryTable<object>();
    for (let one = 0; one < 5_000; one++) {
      table.append(one, {}, one);
      if (table.size > 10) table.remove(table.oldest());
    }
    expect(table.columns().keys).toEqual(Array.from({ length: 10 }, (_, at) => 4_990 + at));
    expect(table.columns().times).toHaveLength(10);
  });
});

describe('a hash of a key', () => {
  it('tells texts apart that differ little, and spreads what is alike', () => {
    hashing.kinds = 0;
    const texts = ['', '\u0000', '\u0000\u0000', 'a', 'a\u0000', 'ab', 'ba', 'abc', 'abd', '1'];
    expect(new Set([...texts.map(hashOf), hashOf(1), hashOf(2), hashOf(0.5)]).size).toBe(texts.length + 3);
    expect(hashOf(0)).toBe(hashOf(-0));
    const buckets = new Map<number, number>();
    for (let one = 0; one < 4_096; one++) {
      for (const each of [one, `BN-${String(one).padStart(8, '0')}`]) {
        const bucket = (hashOf(each) & 255) + (typeof each === 'number' ? 0 : 256);
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      }
    }
    expect(Math.max(...buckets.values())).toBeLessThan(64);
  });
});

describe('packed keys', () => {
  const many = Array.from({ length: 20 }, (_, at) => `key ${at}`);

  it('are there where all are texts of ASCII, and not few', () => {
    expect(packKeys(many)).toBeDefined();
    for (const keys of [many.slice(0, 5), [...many, 7], [...many, 'Chợ Rẫy'], [...many, '\ud800'], [...many, '\u00ff']])
      expect(packKeys(keys)).toBeUndefined();
  });

  it('come back as they were, empty ones too', () => {
    const keys = [...many, '', '\u0000', 'x'.repeat(9_999), ' '];
    const packed = packKeys(keys) as NonNullable<ReturnType<typeof packKeys>>;
    expect(withPackedKeys(structuredClone(packed), {}).keys).toEqual(keys);
  });
});
