/** Shadow tables and their comparison, on a real ClickHouse. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../random.ts';
import type { Store } from '../../store/store.ts';
import { startTestStore, type TestStore } from '../../testing/with-store.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { diffTables, isEqual } from './diff.ts';
import { type Lived, labTopology, liveAndDie } from './lab.fixture.ts';
import { openPast } from './past.ts';
import { replay } from './run.ts';
import { openShadow, type ShadowSettings, shadowsOf } from './shadow.ts';
import { openShadowWriter } from './shadow-writer.ts';

const text = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d, disorder: 1s } }
operators:
  kept: { keep: { from: beds, min: 2 } }
  windows: { totals: { from: kept, every: 10s } }
sinks:
  pulses: { collect: { from: kept, key: [id], table: pulses } }
  sums: { collect: { from: windows, key: [hospital, begin], table: sums, rows: append } }
`;

describe('shadow tables', () => {
  let test: TestStore;
  let store: Store;
  let lived: Lived;

  beforeAll(async () => {
    test = await startTestStore();
    ({ store } = test);
    lived = await liveAndDie({ random: seededRandom(11), topology: text });
    // What the live sinks got, in tables.
    for (const { id, bound } of lived.lab.topology.sinks) {
      const [spec] = bound.tables ?? [];
      if (!spec) throw new Error('the sink has a table');
      await store.ensureTable(spec);
      const { rows } = lived.lab.sink(id);
      await store.insert(spec, { events: rows.map(({ event }) => event), origins: rows }, `live/${id}`);
    }
  });

  afterAll(() => test?.stop());

  async function replayInto(
    name: string,
    more: Partial<Pick<ShadowSettings, 'from' | 'until'>> & {
      topology?: BoundTopology;
      store?: Store;
      signal?: AbortSignal;
    } = {},
  ) {
    const before = lived.lab.topology;
    const topology = more.topology ?? before;
    const names = topologyNames(before.name);
    const objects = await lived.last.log.objects(names.checkpointBucket);
    const past = await openPast({ log: lived.last.log, topology, writtenBy: before, names, objects });
    const { from = past.first, until = past.last } = more;
    const settings = { name, topology: 'lab', hash: topology.hash, from, until, redecode: false, askAgain: false };
    const liveTables = new Set(['pulses', 'sums']);
    const opened = await openShadow({ store, topology, liveTables, settings, now: Date.now() });
    const writer = await openShadowWriter({
      store: more.store ?? store,
      shadow: name,
      targets: opened.tables,
      ...(more.signal && { signal: more.signal }),
    });
    const result = await replay({ past, topology, before, from, until, output: writer });
    return { ...result, ...opened, writer };
  }

  const compare = (name: string, table: string, range: { from?: number; until?: number; places?: boolean } = {}) =>
    diffTables(
      store,
      {
        live: table,
        shadow: `${table}__${name}`,
        from: range.from ?? 1,
        until: range.until ?? Number.MAX_SAFE_INTEGER,
      },
      { places: range.places ?? true },
    );

  it('hold exactly the live rows after a replay of the same topology', async () => {
    const { writer, rowsBySink } = await replayInto('same');
    expect(writer.written).toEqual(rowsBySink);
    for (const table of ['pulses', 'sums']) {
      const diff = await compare('same', table);
      expect(diff.liveRows).toBeGreaterThan(40);
      expect(diff).toMatchObject({ equal: diff.liveRows, shadowRows: diff.liveRows, rows: [] });
      expect(isEqual(diff)).toBe(true);
    }
  });

  it('get the rows of a part alone, and are compared with the live rows of that part', async () => {
    const { until: last } = await replayInto('whole');
    const range = { from: Math.floor(last * 0.4), until: Math.floor(last * 0.7) };
    await replayInto('part', range);
    for (const table of ['pulses', 'sums']) {
      const diff = await compare('part', table, range);
      expect(diff.equal).toBeGreaterThan(10);
      expect(isEqual(diff), JSON.stringify(diff)).toBe(true);
    }
  });

  it('take a replay that was broken off and started again once', async () => {
    // The answer of every write is lost after the rows are stored; the second replay gets them all but one.
    const broken = new AbortController();
    const losing = (answers: number): Store => ({
      ...store,
      async insert(...args) {
        await store.insert(...args);
        if (answers-- <= 0) return;
        if (answers > 1) broken.abort(new Error('killed'));
        throw new Error('no answer');
      },
    });
    const { signal } = broken;
    await expect(replayInto('again', { store: losing(100), signal })).rejects.toMatchObject({ code: 'MACH3237' });
    const { resumed } = await replayInto('again', { store: losing(1) });
    expect(resumed).toBe(true);
    for (const table of ['pulses', 'sums']) {
      const diff = await compare('again', table);
      expect(diff).toMatchObject({ equal: diff.liveRows, shadowRows: diff.liveRows });
    }
  });

  it('show which rows a changed topology gives in another way, and where they come from', async () => {
    const topology = labTopology(text.replace('min: 2', 'min: 4'));
    await replayInto('changed', { topology });
    const pulses = await compare('changed', 'pulses', { places: false });
    const wanted = lived.lab.events('pulses').filter(({ value }) => (value as number) < 4);
    expect(pulses).toMatchObject({ onlyLive: wanted.length, onlyShadow: 0, changed: 0 });
    const [first] = pulses.rows;
    const row = lived.lab.sink('pulses').rows.find(({ event }) => event.id === first?.key.id);
    expect(first).toMatchObject({
      state: 'only-live',
      live: { stage: 's1', partition: 0, sequence: row?.sequence, index: row?.index },
      shadow: null,
    });
    const sums = await compare('changed', 'sums', { places: false });
    expect(sums.changed).toBeGreaterThan(0);
    const change = sums.rows.find(({ state, fields }) => state === 'changed' && fields.count);
    expect(Number(change?.fields.count?.shadow)).toBeLessThan(Number(change?.fields.count?.live));
    expect(sums.liveRows).toBe(sums.equal + sums.changed + sums.onlyLive);
  });

  it('are compared in steps when they are large, with the same result', async () => {
    const pair = { live: 'pulses', shadow: 'pulses__changed', from: 1, until: Number.MAX_SAFE_INTEGER };
    const whole = await diffTables(store, pair);
    const inSteps = await diffTables(store, pair, { rowsPerStepMax: 10 });
    const inOrder = (rows: typeof whole.rows) =>
      [...rows].sort((a, b) => String(a.key.id).localeCompare(String(b.key.id)));
    expect({ ...inSteps, rows: inOrder(inSteps.rows) }).toEqual({ ...whole, rows: inOrder(whole.rows) });
    expect(whole.onlyLive).toBeGreaterThan(10);
    expect((await diffTables(store, pair, { rowsPerStepMax: 10, limit: 3 })).rows).toHaveLength(3);
    expect((await diffTables(store, pair, { limit: 0 })).rows).toEqual([]);
  });

  it('are never live tables (MACH3236), other replays (MACH3235) or badly named (MACH3234)', async () => {
    await store.command('CREATE TABLE pulses__mine (id String) ENGINE = MergeTree ORDER BY id');
    await expect(replayInto('mine')).rejects.toMatchObject({ code: 'MACH3236' });
    await expect(replayInto('same', { from: 5 })).rejects.toMatchObject({ code: 'MACH3235' });
    for (const name of ['', 'Same', 'a__b', '1st', 'a`b', 'x'.repeat(41)]) {
      await expect(replayInto(name), name).rejects.toMatchObject({ code: 'MACH3234' });
    }
  });

  it('are listed, and removed with all that belongs to them and nothing else', async () => {
    const shadows = shadowsOf(store);
    const record = await shadows.find('changed');
    expect(record).toMatchObject({ name: 'changed', topology: 'lab', state: 'running' });
    expect((await shadows.list()).map(({ name }) => name)).toContain('changed');
    await shadows.drop(record as NonNullable<typeof record>);
    expect(await shadows.find('changed')).toBeUndefined();
    const left = await store.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE name LIKE 'pulses%' ORDER BY name",
    );
    expect(left.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['pulses', 'pulses__mine', 'pulses__same', 'pulses__whole']),
    );
    expect(left.map(({ name }) => name)).not.toContain('pulses__changed');
  });

  it('of absent values and of keys that are absent compare as they should', async () => {
    const shape =
      '(k Nullable(String), v Nullable(Int64), _stage LowCardinality(String), _partition UInt16, _sequence UInt64, _index UInt32)';
    for (const name of ['absent', 'absent__x']) {
      await store.command(
        `CREATE TABLE ${name} ${shape} ENGINE = MergeTree ORDER BY k SETTINGS allow_nullable_key = 1`,
      );
    }
    await store.command(
      "INSERT INTO absent VALUES (NULL, 1, 's1', 0, 1, 0), ('a', NULL, 's1', 0, 2, 0), ('b', 2, 's1', 0, 3, 0)",
    );
    await store.command(
      "INSERT INTO absent__x VALUES (NULL, 1, 's1', 0, 1, 0), ('a', NULL, 's1', 0, 2, 0), ('b', NULL, 's1', 0, 3, 0)",
    );
    const diff = await compare('x', 'absent');
    expect(diff).toMatchObject({ equal: 2, changed: 1 });
    expect(diff.rows).toMatchObject([{ key: { k: 'b' }, fields: { v: { live: 2, shadow: null } } }]);
  });
});
