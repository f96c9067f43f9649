/**
 * Shadow tables: where a replay writes, and nowhere else. `ed_status` of the shadow `friday` is `ed_status__friday`, beside the live table,
 * of the same shape. What replay a shadow holds is written down in the table `mach_replays`, so that one that was broken off can go on,
 * and a comparison knows which part of the past to look at.
 */
import type { Store, TableSpec } from '../../store/store.ts';
import { defineSchema, field, type Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { replayErrors } from './errors.ts';

const namePattern = /^[a-z][a-z0-9_]{0,39}$/;
const separator = '__';

export function shadowTableName(table: string, shadow: string): string {
  return `${table}${separator}${shadow}`;
}

/** `replay_20260302_070000`, by the time given. */
export function defaultShadowName(now: number): string {
  const digits = new Date(now).toISOString().replace(/\D/g, '');
  return `replay_${digits.slice(0, 8)}_${digits.slice(8, 14)}`;
}

/** Throws MACH3234. */
export function checkShadowName(name: string): void {
  if (namePattern.test(name) && !name.includes(separator)) return;
  const rule = 'a small letter, then small letters, digits and single underscores, 40 at most';
  throw replayErrors.make('MACH3234', { name, what: 'a shadow', rule });
}

/** A table of a shadow and the live table that it stands beside. */
export interface ShadowTable {
  readonly sink: string;
  readonly live: string;
  readonly shadow: string;
  /** By which a comparison knows what points at a person. */
  readonly schema: Schema;
}

/** What a shadow holds. Two replays with equal settings write the same rows. */
export interface ShadowSettings {
  readonly name: string;
  readonly topology: string;
  /** Of the topology that was run. */
  readonly hash: string;
  readonly from: number;
  readonly until: number;
  readonly redecode: boolean;
  readonly askAgain: boolean;
}

export interface ShadowRecord extends ShadowSettings {
  /** Path of the topology that was run, as it was given. */
  readonly file: string;
  readonly tables: readonly ShadowTable[];
  readonly state: 'running' | 'done';
  readonly rows: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly updatedAt: number;
}

/** Sinks that write to one table each, with its shadow; the others speak to the world outside, which a replay does not. */
export function shadowTables(topology: BoundTopology, shadow: string): (ShadowTable & { spec: TableSpec })[] {
  return topology.sinks.flatMap(({ id, bound }) => {
    const [table, ...more] = bound.tables ?? [];
    if (!table || more.length > 0) return [];
    const name = shadowTableName(table.name, shadow);
    const comment = `Shadow ${shadow} of ${table.name}`;
    const { schema } = table;
    return [{ sink: id, live: table.name, shadow: name, schema, spec: { ...table, name, comment } }];
  });
}

const recordsTable: TableSpec = {
  name: 'mach_replays',
  schema: defineSchema({
    name: field.string(),
    updated_at: field.timestamp(),
    record: field.json(),
  }),
  orderBy: ['name'],
  rows: 'latest',
  comment: 'What the shadow tables of replays hold',
};

export interface Shadows {
  list(): Promise<ShadowRecord[]>;
  find(name: string): Promise<ShadowRecord | undefined>;
  save(record: ShadowRecord): Promise<void>;
  /** Removes its tables, then its record. */
  drop(record: ShadowRecord): Promise<void>;
}

export function shadowsOf(store: Store): Shadows {
  const tableNames = async () =>
    new Set(
      (await store.query<{ name: string }>('SELECT name FROM system.tables WHERE database = currentDatabase()')).map(
        ({ name }) => name,
      ),
    );
  const read = async (where: string, parameters: Record<string, unknown> = {}) => {
    if (!(await tableNames()).has(recordsTable.name)) return [];
    const rows = await store.query<{ record: string }>(
      `SELECT record FROM ${recordsTable.name} FINAL WHERE ${where} ORDER BY name`,
      parameters,
    );
    return rows.map(
      ({ record }) => JSON.parse(record) as ShadowRecord | { readonly dropped: true; readonly name: string },
    );
  };
  const present = (records: readonly (ShadowRecord | { dropped: true })[]) =>
    records.filter((record): record is ShadowRecord => !('dropped' in record));
  const write = async (name: string, updatedAt: number, record: unknown) => {
    await store.ensureTable(recordsTable);
    // The time stands in for the sequence: of two records of one shadow the later one stays.
    const origin = { stage: 'replay', partition: 0, sequence: updatedAt, index: 0 };
    const events = [{ name, updated_at: updatedAt, record }];
    await store.insert(recordsTable, { events, origins: [origin] }, `${name}/${updatedAt}`);
  };
  return {
    list: async () => present(await read('1')),
    find: async (name) => present(await read('name = {name:String}', { name }))[0],
    save: (record) => write(record.name, record.updatedAt, record),
    async drop({ name, tables, updatedAt }) {
      for (const { shadow } of tables) {
        if (shadow.endsWith(`${separator}${name}`)) await store.command(`DROP TABLE IF EXISTS \`${shadow}\``);
      }
      await write(name, updatedAt + 1, { dropped: true, name });
    },
  };
}

/**
 * Makes the tables of a shadow, or finds those of a replay that was broken off. Rejects with MACH3235 when the shadow holds another
 * replay and MACH3236 when a table of that name is there that is nobody's shadow.
 */
export async function openShadow(args: {
  store: Store;
  topology: BoundTopology;
  /** Of every table that the live topology writes to. */
  liveTables: ReadonlySet<string>;
  settings: ShadowSettings;
  now: number;
}): Promise<{ record: ShadowRecord; tables: readonly (ShadowTable & { spec: TableSpec })[]; resumed: boolean }> {
  const { store, topology, liveTables, settings, now } = args;
  checkShadowName(settings.name);
  const shadows = shadowsOf(store);
  const known = await shadows.find(settings.name);
  if (known) checkSame(known, settings);
  const tables = shadowTables(topology, settings.name);
  for (const { shadow } of tables) {
    if (liveTables.has(shadow)) {
      const data = { table: shadow, shadow: settings.name, reason: 'the live topology writes to it' };
      throw replayErrors.make('MACH3236', data);
    }
    if (known?.tables.some((table) => table.shadow === shadow)) continue;
    const [there] = await store.query<{ name: string }>(
      'SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
      { name: shadow },
    );
    if (there) {
      const reason = 'it is there, and no replay has made it';
      throw replayErrors.make('MACH3236', { table: shadow, shadow: settings.name, reason });
    }
  }
  const record: ShadowRecord = known ?? {
    ...settings,
    file: topology.file,
    tables: tables.map(({ spec: _spec, ...table }) => table),
    state: 'running',
    rows: 0,
    startedAt: now,
    updatedAt: now,
  };
  // Written down before the tables are made: after a crash between the two they are known as its own.
  if (!known) await shadows.save(record);
  for (const { spec } of tables) await store.ensureTable(spec);
  return { record, tables, resumed: known !== undefined };
}

function checkSame(known: ShadowRecord, settings: ShadowSettings): void {
  for (const key of ['topology', 'hash', 'from', 'until', 'redecode', 'askAgain'] as const) {
    if (known[key] === settings[key]) continue;
    const shown =
      key === 'hash' ? 'its topology is another version' : `its ${key} is ${known[key]}, not ${settings[key]}`;
    throw replayErrors.make('MACH3235', { shadow: settings.name, difference: shown });
  }
}
