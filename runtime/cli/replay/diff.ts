/** `mach diff`. */
import { existsSync } from 'node:fs';
import type { DiffPair } from '../../execution/replay/comparison.ts';
import { type DifferingRow, diffTables, isEqual, type RowPlace, type TableDiff } from '../../execution/replay/diff.ts';
import { replayErrors } from '../../execution/replay/errors.ts';
import { type ShadowRecord, type Shadows, shadowsOf } from '../../execution/replay/shadow.ts';
import { hidePersonal } from '../../observe/personal.ts';
import type { Schema } from '../../stream/schema.ts';
import { auditFile, reasonOf, recordReveal } from '../audit.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { asUsage, withStore } from './open.ts';

export interface DiffFlags {
  readonly table?: string;
  readonly key?: string;
  readonly places?: true;
  readonly reveal?: true;
  readonly reason?: string;
  readonly limit?: string;
  readonly data: string;
  readonly json?: true;
}

export function diffCommand(live: string, shadow: string, flags: DiffFlags, context: CommandContext): Promise<void> {
  return asUsage(() => compareWithLive(live, shadow, flags, context));
}

async function compareWithLive(live: string, shadow: string, flags: DiffFlags, context: CommandContext): Promise<void> {
  const limit = flags.limit === undefined ? undefined : Number(flags.limit);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0))
    throw cliErrors.make('MACH1620', { option: '--limit', value: flags.limit, takes: 'a whole number from 0 on' });
  if (flags.key !== undefined && flags.table === undefined)
    throw cliErrors.make('MACH1620', {
      option: '--key',
      value: flags.key,
      takes: 'columns of the table that --table names',
    });
  if (flags.reveal) reasonOf(flags.reason);
  const equal = await withStore(flags.data, context, async (store) => {
    const pairs = await pairsOf(shadowsOf(store), { live, shadow, flags, context });
    if (flags.reveal) {
      const subject = { shadow, tables: pairs.map(({ table }) => table) };
      const { data: directory, reason } = flags;
      await recordReveal({ directory, env: context.env, action: 'diff', topology: live, subject, reason });
      context.printError(`that you looked is written in ${auditFile}`);
    }
    const key = flags.key?.split(',').map((name) => name.trim());
    const diffs: NamedDiff[] = [];
    for (const pair of pairs) {
      const options = { places: flags.places ?? false, ...(key && { key }), ...(limit === undefined ? {} : { limit }) };
      const diff = { ...pair, ...(await diffTables(store, pair, options)) };
      diffs.push(flags.reveal ? diff : withoutPersons(diff));
    }
    if (flags.json) {
      context.print(JSON.stringify({ equal: diffs.every(isEqual), tables: diffs.map(toJson) }, null, 2));
    } else for (const diff of diffs) for (const line of describe(diff)) context.print(line);
    return diffs.every(isEqual);
  });
  if (!equal) throw new CommandExit(exitCodes.found);
}

async function pairsOf(
  shadows: Shadows,
  { live, shadow, flags, context }: { live: string; shadow: string; flags: DiffFlags; context: CommandContext },
): Promise<NamedPair[]> {
  const record = await shadows.find(shadow);
  if (!record) throw replayErrors.make('MACH3244', { name: shadow });
  if (record.state !== 'done') context.printError(`the replay into ${shadow} was not finished: rows may be missing`);
  const other = existsSync(live) ? undefined : await shadows.find(live);
  const pairs = other ? betweenShadows(other, record) : await withLive(live, record, context);
  const wanted = pairs.filter(({ table }) => flags.table === undefined || flags.table === table);
  if (wanted.length > 0) return wanted;
  const tables = pairs.map(({ table }) => table).join(', ') || 'none';
  throw replayErrors.make('MACH3238', {
    reason: `no table ${flags.table ?? ''} is in both; those that are: ${tables}`,
  });
}

interface NamedPair extends DiffPair {
  /** Name of the live table, whatever is compared with it. */
  readonly table: string;
  /** The topologies that gave the rows. */
  readonly files: { readonly live: string; readonly shadow: string };
  readonly schema: Schema;
}

async function withLive(live: string, record: ShadowRecord, context: CommandContext): Promise<NamedPair[]> {
  if (live !== record.topology) {
    if (!existsSync(live)) throw replayErrors.make('MACH3238', { reason: `${live} is neither a file nor a shadow` });
    const topology = await context.loadTopology(live);
    if (topology.name !== record.topology) {
      const reason = `${record.name} is a shadow of ${record.topology}, and ${live} is ${topology.name}`;
      throw replayErrors.make('MACH3238', { reason });
    }
  }
  const { from, until } = record;
  const files = { live: existsSync(live) ? live : record.file, shadow: record.file };
  return record.tables.map(({ live, shadow, schema }) => ({ table: live, live, shadow, schema, from, until, files }));
}

function betweenShadows(one: ShadowRecord, other: ShadowRecord): NamedPair[] {
  const from = Math.max(one.from, other.from);
  const until = Math.min(one.until, other.until);
  return one.tables.flatMap(({ live: table, shadow: live, schema }) => {
    const match = other.tables.find((candidate) => candidate.live === table);
    const files = { live: one.file, shadow: other.file };
    return match ? [{ table, live, shadow: match.shadow, schema, from, until, files }] : [];
  });
}

type NamedDiff = NamedPair & TableDiff;

/** Values that point at a person hidden; that they differ is seen all the same. */
function withoutPersons(diff: NamedDiff): NamedDiff {
  const hide = (values: Readonly<Record<string, unknown>>) => hidePersonal(parsed(values, diff.schema), diff.schema);
  const rows = diff.rows.map((row): DifferingRow => {
    const side = (name: 'live' | 'shadow') =>
      hide(Object.fromEntries(Object.entries(row.fields).map(([field, values]) => [field, values[name]])));
    const [live, shadow] = [side('live'), side('shadow')];
    const fields = Object.keys(row.fields).map(
      (field) => [field, { live: live[field], shadow: shadow[field] }] as const,
    );
    return { ...row, key: hide(row.key), fields: Object.fromEntries(fields) };
  });
  return { ...diff, rows };
}

/** The store has records as text; who points at a person stands inside. */
function parsed(values: Readonly<Record<string, unknown>>, { fields }: Schema): Record<string, unknown> {
  const entries = Object.entries(values).map(([name, value]) => {
    const isRecord = fields[name]?.type.kind === 'record' && typeof value === 'string' && value !== '';
    return [name, isRecord ? JSON.parse(value) : value] as const;
  });
  return Object.fromEntries(entries);
}

/** The command that says why a row is there: by its place, in the topology that gave it. */
function whyOf(
  { table, file, isReplayed }: { table: string; file: string; isReplayed: boolean },
  { stage, partition, sequence, index }: RowPlace,
): string {
  const command = `mach why ${table}/${stage}/${partition}/${sequence}/${index} --topology ${file}`;
  return isReplayed ? `${command} --replayed` : command;
}

function toJson({
  rows,
  liveRows,
  shadowRows,
  onlyLive,
  onlyShadow,
  columnsOnlyLive,
  columnsOnlyShadow,
  ...diff
}: NamedDiff) {
  const { files: _files, schema: _schema, ...shown } = diff;
  return {
    ...shown,
    live_rows: liveRows,
    shadow_rows: shadowRows,
    only_live: onlyLive,
    only_shadow: onlyShadow,
    columns_only_live: columnsOnlyLive,
    columns_only_shadow: columnsOnlyShadow,
    rows: rows.map((row) => ({ ...row, why: whyLines(diff, row) })),
  };
}

function whyLines({ table, live, files }: Pick<NamedPair, 'table' | 'live' | 'files'>, row: DifferingRow) {
  return {
    live: row.live ? whyOf({ table, file: files.live, isReplayed: live !== table }, row.live) : null,
    shadow: row.shadow ? whyOf({ table, file: files.shadow, isReplayed: true }, row.shadow) : null,
  };
}

function* describe(diff: NamedDiff): Generator<string> {
  const { live, shadow, equal, onlyLive, onlyShadow, changed, superseded, rows } = diff;
  const counts = [`${equal} equal`, `${changed} changed`, `${onlyLive} only live`, `${onlyShadow} only in the shadow`];
  if (superseded > 0) counts.push(`${superseded} replaced since`);
  yield `${live} and ${shadow}: ${counts.join(', ')}`;
  for (const row of rows) {
    const key = Object.entries(row.key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    yield `  ${row.state.padEnd(11)}  ${key.join(' ')}`;
    for (const [name, field] of Object.entries(row.fields)) {
      yield `    ${name}: ${JSON.stringify(field.live)} -> ${JSON.stringify(field.shadow)}`;
    }
    const why = whyLines(diff, row);
    for (const line of [why.live, why.shadow]) if (line) yield `    ${line}`;
  }
  const left = onlyLive + onlyShadow + changed - rows.length;
  if (left > 0) yield `  and ${left} more (--limit)`;
}
