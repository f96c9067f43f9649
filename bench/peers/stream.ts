/** The events of a request for peers that are written in TypeScript, and where their rows go. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type Generator, openGenerator } from '../../connectors/nexmark/generator.ts';
import type { NexmarkEvent, NexmarkField } from '../../connectors/nexmark/schema.ts';
import type { PeerAnswer, PeerRequest } from './request.ts';
import { warmUp } from './warm-up.ts';

export type Emit = (row: readonly unknown[]) => void;

/** A query over one stream: `event` in the order of the stream, then `end`, once. */
export interface RunningQuery {
  event(event: NexmarkEvent): void;
  end?(): void;
  /** After the clock has stopped: gives the rows that lie in files, and removes these. */
  collect?(): void;
}

export interface PeerQuery {
  /** Fields that it reads: only these are made. */
  readonly fields: readonly NexmarkField[];
  /** Its windows hang on the clock: rows that differ in their last cell alone are compared by its sum. */
  readonly isTotalled?: true;
  open(emit: Emit): RunningQuery;
}

/** As many as the engine's source makes at a time. */
const stretchEvents = 4_096;

export async function runQuery(
  queries: Readonly<Record<string, PeerQuery>>,
  request: PeerRequest,
): Promise<PeerAnswer> {
  const query = queries[request.query];
  if (!query) return { unsupported: 'not written for this peer' };
  if (request.rows === undefined) return timed(query, request);
  let rows: (readonly unknown[])[] = [];
  pass(query, request, (row) => void rows.push(row)).collect?.();
  if (query.isTotalled) rows = totalsOf(rows);
  const file = createWriteStream(request.rows);
  for (const row of rows) file.write(`${lineOf(row)}\n`);
  file.end();
  await finished(file);
  return { seconds: 0, cpu_seconds: 0, rows: rows.length };
}

function totalsOf(rows: readonly (readonly unknown[])[]): (readonly unknown[])[] {
  const totals = new Map<string, readonly unknown[]>();
  for (const row of rows) {
    const [rest, last] = [row.slice(0, -1), row.at(-1)];
    const key = JSON.stringify(rest);
    totals.set(key, [...rest, (last as number) + ((totals.get(key)?.at(-1) as number | undefined) ?? 0)]);
  }
  return [...totals.values()];
}

function timed(query: PeerQuery, request: PeerRequest): PeerAnswer {
  let count = 0;
  let kept: readonly unknown[] = [];
  const emit: Emit = (row) => {
    count++;
    kept = row;
  };
  const events = request.over === 'objects' ? prebuilt(query, request) : undefined;
  if (events) warmUp(request.events, () => passObjects(query, events, emit).collect?.());
  count = 0;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const running = events ? passObjects(query, events, emit) : pass(query, request, emit);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  running.collect?.();
  // A row that nobody keeps might not be made at all.
  if (count > 0 && kept.length === 0) throw new Error('invariant broken: a row without columns');
  return { seconds, cpu_seconds: (user + system) / 1e6, rows: count };
}

function pass(query: PeerQuery, request: PeerRequest, emit: Emit): RunningQuery {
  const generator = openGenerator(request, query.fields);
  const running = query.open(emit);
  for (const events of stretchesOf(generator, request.events)) for (const event of events) running.event(event);
  running.end?.();
  return running;
}

/** The events of a request as objects, made beforehand. */
export function prebuilt(query: PeerQuery, request: PeerRequest): NexmarkEvent[] {
  const generator = openGenerator(request, query.fields);
  return [...stretchesOf(generator, request.events)].flat();
}

function* stretchesOf(generator: Generator, count: number): Iterable<readonly NexmarkEvent[]> {
  for (let from = 0; from < count; from += stretchEvents)
    yield generator.stretch(from, Math.min(stretchEvents, count - from)).events.events as readonly NexmarkEvent[];
}

function passObjects(query: PeerQuery, events: readonly NexmarkEvent[], emit: Emit): RunningQuery {
  const running = query.open(emit);
  for (const event of events) running.event(event);
  running.end?.();
  return running;
}

/** As the reference writes rows: fractions of three digits at most. */
function lineOf(row: readonly unknown[]): string {
  return JSON.stringify(
    row.map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? Math.round(cell * 1_000) / 1_000 : cell)),
  );
}
