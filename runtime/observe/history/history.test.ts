/** What the engine writes of itself: both tables, the pace, and a store that is away. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Rows, Store, TableSpec } from '../../store/store.ts';
import { type Lab, openLab } from '../../testing/engine-lab.ts';
import { startHistory } from './history.ts';

const topology = `
version: 1
name: lab
sources: { calls: { pulses: {}, idle: 30d } }
operators: { order: { numbered: { from: calls } } }
sinks: { rows: { collect: { from: order } } }
`;

interface Written {
  readonly table: string;
  readonly token: string;
  readonly rows: Rows;
}

function recordingStore() {
  const written: Written[] = [];
  const made: string[] = [];
  const state = { isAway: false };
  const store: Store = {
    url: 'http://127.0.0.1',
    ensureTable: async (table: TableSpec) => {
      if (state.isAway) throw new Error('the store is away');
      made.push(table.name);
    },
    insert: async (table, rows, token) => {
      if (state.isAway) throw new Error('the store is away');
      written.push({ table: table.name, token, rows });
    },
    query: async () => [],
    read: async () => ({ columns: [], rows: [] }),
    command: async () => undefined,
    check: async () => ({ version: '1' }),
    close: async () => undefined,
  };
  return { store, written, made, state };
}

function recordingLogger() {
  const said: { level: string; fields: object; message: string }[] = [];
  const say = (level: string) => (fields: object, message: string) => void said.push({ level, fields, message });
  return { said, logger: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') } };
}

let history: { close(): Promise<void> } | undefined;
afterEach(async () => {
  await history?.close();
  history = undefined;
});

async function open() {
  const lab = openLab({ topology });
  const process = await lab.start();
  const { engine } = process;
  if (!engine) throw new Error('the engine has not started');
  const recorded = recordingStore();
  const { logger, said } = recordingLogger();
  const start = () => {
    history = startHistory({ engine, clock: lab.clock, pace: lab.clock, store: recorded.store, logger });
  };
  const hear = (origin: string, time: number) =>
    lab.drive(
      process.source('calls').append({
        origin,
        events: [{ event: { id: `${origin}${time}`, hospital: origin, value: 1, patient: 'Nguyễn Văn Thử' }, time }],
      }),
    );
  const pass = (ms: number) => lab.drive(lab.clock.sleep(ms));
  return { lab, engine, ...recorded, said, start, hear, pass };
}

const rowsOf = (written: readonly Written[], table: string) =>
  written.filter((one) => one.table === table).flatMap(({ rows }) => rows.events);

const settled = (lab: Lab) => lab.drive(lab.clock.sleep(1));

describe('what the engine says of itself', () => {
  it('has a row for each node, and for each origin when it was last heard', async () => {
    const { lab, engine, hear, start, written, made } = await open();
    const before = lab.clock.now();
    await hear('H1', before - 1_000);
    await hear('H2', before - 2_000);
    await lab.drive(engine.settled());
    const now = lab.clock.now();
    start();
    await settled(lab);
    expect(made).toEqual(['engine_nodes', 'feed_freshness']);
    const nodes = rowsOf(written, 'engine_nodes');
    expect(nodes).toMatchObject([
      { topology: 'lab', node: 'calls', kind: 'source', out_events: 2, at: now },
      { topology: 'lab', node: 'order', kind: 'operator', in_events: 2 },
      { topology: 'lab', node: 'rows', kind: 'sink', in_events: 2 },
    ]);
    const feeds = rowsOf(written, 'feed_freshness') as { origin: string; heard_at: number }[];
    expect(feeds).toMatchObject([
      { source: 'calls', origin: expect.any(String), silent_after_ms: 30 * 86_400_000 },
      { source: 'calls', origin: expect.any(String) },
    ]);
    expect(new Set(feeds.map(({ origin }) => origin))).toEqual(new Set(['H1', 'H2']));
    for (const { heard_at } of feeds) {
      expect(heard_at).toBeGreaterThanOrEqual(before);
      expect(heard_at).toBeLessThanOrEqual(now);
    }
  });

  it('writes nodes twice a minute and feeds once, each look under a token of its own', async () => {
    const { hear, lab, start, pass, written } = await open();
    await hear('H1', lab.clock.now());
    start();
    await pass(59_000);
    expect(written.filter(({ table }) => table === 'engine_nodes')).toHaveLength(2);
    expect(written.filter(({ table }) => table === 'feed_freshness')).toHaveLength(1);
    await pass(15_000);
    expect(written.filter(({ table }) => table === 'feed_freshness')).toHaveLength(2);
    const tokens = written.filter(({ table }) => table === 'engine_nodes').map(({ token }) => token);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('says once that the store is away, and goes on when it is back', async () => {
    const { start, pass, state, said, written } = await open();
    state.isAway = true;
    start();
    await pass(40_000);
    expect(written).toEqual([]);
    expect(said.filter(({ level }) => level === 'warn')).toMatchObject([
      { fields: { reason: 'the store is away' }, message: expect.stringContaining('not stored') },
    ]);
    state.isAway = false;
    await pass(30_000);
    expect(rowsOf(written, 'engine_nodes')).toHaveLength(3);
  });
});
