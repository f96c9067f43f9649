/**
 * Writes the rows of a replay to its shadow tables. Writes are cut by their number of rows and have tokens made of their first and last
 * place: a replay that was broken off and is started again writes the same again, and the store keeps it once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MachError, messageOf } from '../../errors.ts';
import { RefusedRowsError } from '../../store/errors.ts';
import type { Store, TableSpec } from '../../store/store.ts';
import { stageName } from '../../topology/names.ts';
import type { OutputRow } from '../log-frame.ts';
import { replayErrors } from './errors.ts';
import { replayLimits } from './limits.ts';
import type { ReplayOutput } from './run.ts';

export interface ShadowWriter extends ReplayOutput {
  /** Rows written, and rows that the store can never take, by sink. */
  readonly written: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  /** Writes that a replay before this one had finished. */
  readonly repeated: number;
}

interface Target {
  readonly sink: string;
  readonly spec: TableSpec;
}

type Place = readonly [sequence: number, index: number];

const isBefore = ([a, b]: Place, [c, d]: Place) => a < c || (a === c && b < d);

/** Writes to the tables given and no others: rows of other outputs are passed over. */
export async function openShadowWriter(args: {
  store: Pick<Store, 'insert' | 'query'>;
  shadow: string;
  targets: readonly Target[];
  signal?: AbortSignal;
}): Promise<ShadowWriter> {
  const { store, shadow, signal } = args;
  const targets = new Map(args.targets.map((target) => [target.sink, target]));
  const queues = new Map<string, OutputRow[]>(args.targets.map(({ sink }) => [sink, []]));
  const newest = new Map<string, Place>();
  for (const { sink, spec } of args.targets) {
    const isShared = args.targets.some((other) => other.sink !== sink && other.spec.name === spec.name);
    newest.set(sink, isShared ? [0, 0] : await newestPlace(store, spec));
  }
  const written: Record<string, number> = {};
  const refused: Record<string, number> = {};
  let repeated = 0;
  let waiting = 0;
  let failure: unknown;
  let work: Promise<void> = Promise.resolve();

  function cut(sink: string): void {
    const rows = queues.get(sink) ?? [];
    const target = targets.get(sink);
    if (rows.length === 0 || !target) return;
    queues.set(sink, []);
    waiting++;
    work = work
      .then(() => (failure === undefined ? write(target, rows) : undefined))
      .catch((error) => {
        failure = error;
      })
      .finally(() => {
        waiting--;
      });
  }

  async function write({ sink, spec }: Target, rows: readonly OutputRow[]): Promise<void> {
    const [first, last] = [rows[0] as OutputRow, rows.at(-1) as OutputRow];
    written[sink] = (written[sink] ?? 0) + rows.length;
    // Writes of a table follow each other: where a later one has left rows, all of this one is there.
    if (isBefore([last.sequence, last.index], newest.get(sink) as Place)) {
      repeated++;
      return;
    }
    const token = `replay/${shadow}/${sink}/${first.sequence}.${first.index}-${last.sequence}.${last.index}`;
    await insert({ sink, spec }, rows, token);
  }

  /** Rows that the store can never take are left out and counted, as the live sink makes dead letters of them. */
  async function insert(target: Target, rows: readonly OutputRow[], token: string): Promise<void> {
    if (rows.length === 0) return;
    const { sink, spec } = target;
    // A row that was refused once, and redriven, is still the row that it was.
    const place = { stage: stageName(1), partition: 0 };
    const origins = rows.map(({ sequence, index, redrive }) => ({ ...place, sequence, index, ...redrive?.origin }));
    const refusal = await tryInsert(spec, { events: rows.map(({ event }) => event), origins }, token);
    if (!refusal) return;
    const refuse = (count: number) => {
      refused[sink] = (refused[sink] ?? 0) + count;
      written[sink] = (written[sink] ?? 0) - count;
    };
    if (refusal instanceof RefusedRowsError) {
      const out = new Set(refusal.rows.map(({ index }) => index));
      refuse(out.size);
      return insert(
        target,
        rows.filter((_, index) => !out.has(index)),
        `${token}/rest`,
      );
    }
    if (rows.length === 1) return refuse(1);
    const middle = rows.length >> 1;
    await insert(target, rows.slice(0, middle), `${token}/0`);
    await insert(target, rows.slice(middle), `${token}/1`);
  }

  async function tryInsert(
    spec: TableSpec,
    rows: Parameters<Store['insert']>[1],
    token: string,
  ): Promise<MachError | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        await store.insert(spec, rows, token);
        return undefined;
      } catch (error) {
        if (error instanceof MachError && error.code === 'MACH3102') return error;
        if (attempt >= replayLimits.writeAttemptsMax || signal?.aborted) {
          throw replayErrors.make('MACH3237', { table: spec.name, reason: messageOf(error) }, error);
        }
        const longest = Math.min(replayLimits.writeRetryDelayMs * 2 ** attempt, replayLimits.writeRetryDelayMaxMs);
        await sleep(longest * (0.5 + Math.random() / 2), undefined, { ...(signal && { signal }) }).catch(
          () => undefined,
        );
      }
    }
  }

  async function untilRoom(): Promise<void> {
    while (waiting > replayLimits.batchesWaitingMax && failure === undefined) {
      await Promise.race([work, sleep(1)]);
    }
    if (failure !== undefined) throw failure;
  }

  return {
    written,
    refused,
    get repeated() {
      return repeated;
    },
    row(output, row) {
      const queue = queues.get(output);
      if (!queue) return;
      queue.push(row);
      if (queue.length >= replayLimits.batchRowsMax) cut(output);
    },
    ready() {
      if (failure !== undefined) return Promise.reject(failure);
      return waiting > replayLimits.batchesWaitingMax ? untilRoom() : undefined;
    },
    async finish() {
      for (const sink of queues.keys()) cut(sink);
      await work;
      if (failure !== undefined) throw failure;
    },
  };
}

async function newestPlace(store: Pick<Store, 'query'>, { name }: TableSpec): Promise<Place> {
  const [row] = await store.query<{ sequence: number; index: number }>(
    `SELECT toUInt64(max(_sequence)) AS sequence, toUInt32(argMax(_index, (_sequence, _index))) AS index FROM \`${name}\``,
  );
  return [Number(row?.sequence ?? 0), Number(row?.index ?? 0)];
}
