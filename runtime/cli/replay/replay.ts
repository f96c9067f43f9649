/** `mach replay`. */

import { setPriority } from 'node:os';
import { wallTime } from '../../clock.ts';
import { counted } from '../../counted.ts';
import { replayErrors } from '../../execution/replay/errors.ts';
import { replayLimits } from '../../execution/replay/limits.ts';
import { openPast, type Past } from '../../execution/replay/past.ts';
import { type ReplayProgress, type ReplayResult, replay } from '../../execution/replay/run.ts';
import {
  checkShadowName,
  defaultShadowName,
  openShadow,
  type ShadowRecord,
  type Shadows,
  shadowsOf,
} from '../../execution/replay/shadow.ts';
import { openShadowWriter, type ShadowWriter } from '../../execution/replay/shadow-writer.ts';
import type { Store } from '../../store/store.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { asUsage, interruption, positionOf, quietLogger, withLog, withStore } from './open.ts';

export interface ReplayFlags {
  readonly from?: string;
  readonly until?: string;
  readonly into?: string;
  readonly with?: string;
  readonly redecode?: true;
  readonly askAgain?: true;
  readonly list?: true;
  readonly drop?: string;
  readonly data: string;
  readonly json?: true;
}

export function replayCommand(file: string | undefined, flags: ReplayFlags, context: CommandContext): Promise<void> {
  return asUsage(() => replayOrShadows(file, flags, context));
}

async function replayOrShadows(file: string | undefined, flags: ReplayFlags, context: CommandContext): Promise<void> {
  if (flags.list) return withStore(flags.data, context, (store) => listShadows(shadowsOf(store), flags, context));
  if (flags.drop !== undefined) return dropShadow(flags.drop, flags, context);
  if (file === undefined) throw cliErrors.make('MACH1634');
  const before = await context.loadTopology(file);
  const topology = flags.with === undefined ? before : await context.loadTopology(flags.with);
  const shadow = flags.into ?? defaultShadowName(wallTime());
  checkShadowName(shadow);
  // What is wrong in itself is said before anything is opened.
  if (flags.from !== undefined) positionOf('--from', flags.from);
  if (flags.until !== undefined) positionOf('--until', flags.until);
  lowerPriority();
  const { signal, done } = interruption();
  try {
    await withLog(flags.data, context, ({ log }) =>
      withStore(flags.data, context, async (store) => {
        const names = topologyNames(before.name);
        const objects = await log.objects(names.checkpointBucket);
        const past = await openPast({
          log,
          topology,
          writtenBy: before,
          names,
          objects,
          logger: quietLogger(context),
        });
        await run({ past, before, topology, shadow, store, signal, flags, context });
      }),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new CommandExit(exitCodes.interrupted, `Interrupted. Start it again with --into ${shadow} and it goes on.`);
  } finally {
    done();
  }
}

interface Running {
  readonly past: Past;
  readonly before: BoundTopology;
  readonly topology: BoundTopology;
  readonly shadow: string;
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly flags: ReplayFlags;
  readonly context: CommandContext;
}

async function run(running: Running): Promise<void> {
  const { past, before, topology, shadow, store, signal, flags, context } = running;
  const known = await shadowsOf(store).find(shadow);
  const { from, until } = await rangeOf(past, flags, { topology: before.name, known });
  const settings = {
    name: shadow,
    topology: before.name,
    hash: topology.hash,
    from,
    until,
    redecode: flags.redecode ?? false,
    askAgain: flags.askAgain ?? false,
  };
  const liveTables = new Set(
    [before, topology].flatMap(({ sinks }) =>
      sinks.flatMap(({ bound }) => (bound.tables ?? []).map(({ name }) => name)),
    ),
  );
  const opened = await openShadow({ store, topology, liveTables, settings, now: wallTime() });
  const writer = await openShadowWriter({ store, shadow, targets: opened.tables, signal });
  sayBeginning({ ...running, from, until }, opened);
  const result = await replay({
    past,
    topology,
    before,
    from,
    until,
    output: writer,
    redecode: settings.redecode,
    askAgain: settings.askAgain,
    signal,
    onNote: (note) => (flags.json ? context.print(JSON.stringify({ note })) : context.printError(note)),
    onProgress: (progress) => sayProgress(progress, flags, context),
  });
  const rows = Object.values(writer.written).reduce((sum, count) => sum + count, 0);
  const record: ShadowRecord = { ...opened.record, state: 'done', rows, updatedAt: wallTime() };
  await shadowsOf(store).save(record);
  sayEnd({ result, writer, record }, running);
}

/** Where a replay with the same name had begun and would have ended: "the newest" of then is not the newest of now. */
async function rangeOf(
  past: Past,
  flags: ReplayFlags,
  { topology, known }: { topology: string; known: ShadowRecord | undefined },
): Promise<{ from: number; until: number }> {
  const sequenceOf = async (option: string, text: string, step: number) => {
    const position = positionOf(option, text);
    return 'sequence' in position ? position.sequence : (await past.sequenceAt(position.time)) + step;
  };
  const from = flags.from === undefined ? (known?.from ?? past.first) : await sequenceOf('--from', flags.from, 0);
  const until = flags.until === undefined ? (known?.until ?? past.last) : await sequenceOf('--until', flags.until, -1);
  const has = past.last < past.first ? 'nothing' : `${past.first} to ${past.last}`;
  if (from < past.first || from > past.last) throw replayErrors.make('MACH3231', { topology, wanted: from, has });
  if (until > past.last) throw replayErrors.make('MACH3231', { topology, wanted: until, has });
  if (until < from)
    throw cliErrors.make('MACH1620', {
      option: '--until',
      value: flags.until,
      takes: 'a place in the log that does not lie before --from',
    });
  return { from, until };
}

/** The engine that runs beside this comes first. */
function lowerPriority(): void {
  try {
    setPriority(replayLimits.niceness);
  } catch {
    // Some systems do not let a process say so; it still yields between messages.
  }
}

function sayBeginning(
  { topology, shadow, flags, context, from, until }: Running & { from: number; until: number },
  { tables, resumed }: { tables: readonly { shadow: string }[]; resumed: boolean },
): void {
  const spoken = topology.sinks.filter(({ bound }) => (bound.tables ?? []).length !== 1).map(({ id }) => id);
  if (flags.json) {
    const shown = { shadow, from, until, tables: tables.map((table) => table.shadow), not_written: spoken, resumed };
    context.print(JSON.stringify({ phase: 'begin', ...shown }));
    return;
  }
  context.printError(`replaying ${from} to ${until} into ${shadow}: ${tables.map((table) => table.shadow).join(', ')}`);
  if (resumed) context.printError('the shadow is there already: what it has is not written twice');
  if (spoken.length > 0) context.printError(`not spoken to: ${spoken.join(', ')}`);
}

const isoTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());

function progressToJson(progress: ReplayProgress) {
  const { eventTime, acceptedAt, eventsPerSecond, remainingMs, ...rest } = progress;
  return {
    ...rest,
    events_per_second: eventsPerSecond,
    event_time: isoTime(eventTime),
    accepted_at: isoTime(acceptedAt),
    remaining_ms: remainingMs,
  };
}

function sayProgress(progress: ReplayProgress, { json }: ReplayFlags, context: CommandContext): void {
  if (json) return context.print(JSON.stringify(progressToJson(progress)));
  const { phase, sequence, until, eventsPerSecond, eventTime, rows, remainingMs } = progress;
  const left = remainingMs === null ? '' : `, ${Math.ceil(remainingMs / 1_000)} s left`;
  const doing = phase === 'catching-up' ? 'making the state before' : counted(rows, 'row');
  context.printError(
    `${sequence} of ${until}  ${isoTime(eventTime) ?? ''}  ${eventsPerSecond} events/s  ${doing}${left}`,
  );
}

function sayEnd(
  { result, writer, record }: { result: ReplayResult; writer: ShadowWriter; record: ShadowRecord },
  { shadow, before, flags, context }: Running,
): void {
  const { rowsBySink, restored, missing, durationMs, messages, events } = result;
  if (flags.json) {
    const shown = {
      shadow,
      restored: restored?.name ?? null,
      missing,
      written: writer.written,
      refused: writer.refused,
    };
    const {
      rows: _rows,
      restored: _restored,
      missing: _missing,
      rowsBySink: _by,
      durationMs: _ms,
      ...progress
    } = result;
    context.print(
      JSON.stringify({
        ...progressToJson(progress as ReplayProgress),
        ...shown,
        results: rowsBySink,
        duration_ms: durationMs,
      }),
    );
    return;
  }
  const seconds = (durationMs / 1_000).toFixed(1);
  const from = restored ? `from the checkpoint at ${restored.sequence}` : 'from the beginning of the log';
  context.print(`${counted(events, 'event')} in ${counted(messages, 'message')}, ${from}, in ${seconds} s`);
  for (const { sink, shadow: table } of record.tables) {
    const refused = writer.refused[sink] ? `, ${writer.refused[sink]} that the store cannot take` : '';
    context.print(`${table}: ${counted(writer.written[sink] ?? 0, 'row')}${refused}`);
  }
  const others = Object.entries(rowsBySink).filter(([sink]) => !record.tables.some((table) => table.sink === sink));
  for (const [sink, count] of others) {
    context.print(`${sink === '$dead' ? 'dead letters' : sink}: ${count}, not written`);
  }
  context.print(`mach diff ${before.file} ${shadow} compares them with the live rows`);
}

async function listShadows(shadows: Shadows, { json }: ReplayFlags, context: CommandContext): Promise<void> {
  const records = await shadows.list();
  const toJson = ({ startedAt, updatedAt, askAgain, tables, ...record }: ShadowRecord) => ({
    ...record,
    tables: tables.map(({ schema: _schema, ...table }) => table),
    ask_again: askAgain,
    started_at: isoTime(startedAt),
    updated_at: isoTime(updatedAt),
  });
  if (json) return context.print(JSON.stringify({ shadows: records.map(toJson) }, null, 2));
  if (records.length === 0) context.print('There are no shadows.');
  for (const { name, topology, file, from, until, state, rows, startedAt } of records) {
    const ended = state === 'done' ? counted(rows, 'row') : 'not finished';
    context.print(`${name}  ${topology} (${file})  ${from} to ${until}  ${ended}  ${isoTime(startedAt)}`);
  }
}

function dropShadow(name: string, { data, json }: ReplayFlags, context: CommandContext): Promise<void> {
  checkShadowName(name);
  return withStore(data, context, async (store) => {
    const shadows = shadowsOf(store);
    const record = await shadows.find(name);
    if (!record) throw replayErrors.make('MACH3244', { name });
    await shadows.drop(record);
    const tables = record.tables.map(({ shadow }) => shadow);
    context.print(json ? JSON.stringify({ dropped: name, tables }) : `removed ${name}: ${tables.join(', ')}`);
  });
}
