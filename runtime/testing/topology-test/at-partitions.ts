/**
 * A test once more, at several partitions: the same log, handled by engines that run all of them, one of which dies between a checkpoint
 * and the end. The rows and the accounts must be those of one partition. Look-ups get the answers that are in the log.
 */
import { isDeepStrictEqual } from 'node:util';
import { type MemoryLog, memoryLog } from '../../bus/memory/log.ts';
import { memoryStorage } from '../../bus/memory/storage.ts';
import { virtualClock } from '../../clock.ts';
import { type Engine, startEngine } from '../../execution/engine.ts';
import { simulatedHeap } from '../../execution/heap-room.ts';
import { firstStage } from '../../execution/streams.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { driver, noStore, silent } from './stand-ins.ts';
import { withTestEdges } from './test-edges.ts';
import { accountingOf, deadLettersOf } from './world.ts';
import type { CollectedRow, World } from './world-form.ts';

export interface Results {
  readonly rows: ReadonlyMap<string, readonly CollectedRow[]>;
  readonly deadLetters: readonly CollectedRow[];
  readonly accounting: Accounting;
}

const never = new Promise<never>(() => undefined);

export function resultsOf(world: World, { sinks }: BoundTopology): Results {
  const rows = new Map(sinks.map(({ id }) => [id, world.rows(id)]));
  return { rows, deadLetters: world.deadLetters(), accounting: world.accounting() };
}

/** Handles the log of a test at so many partitions, with a crash between. */
export async function runAtPartitions(args: {
  topology: BoundTopology;
  messages: ReturnType<World['messages']>;
  startMs: number;
  partitions: number;
}): Promise<Results> {
  const { topology, messages, partitions } = args;
  const clock = virtualClock(args.startMs);
  const drive = driver(clock);
  const storage = memoryStorage();
  const names = topologyNames(topology.name);
  const rows = new Map(topology.sinks.map(({ id }) => [id, [] as CollectedRow[]]));
  const written = new Map<string, readonly SinkRow[]>();

  async function live(work: (life: { engine: Engine; log: MemoryLog }) => Promise<void>): Promise<Accounting> {
    const log = memoryLog({ clock, storage });
    let dead = false;
    const bound = withTestEdges(topology, {
      opened() {},
      handling() {},
      answer: () => never,
      async write(sink, given, token) {
        if (dead) return never;
        const before = written.get(token);
        if (before && !isDeepStrictEqual(before, given)) throw new Error(`token ${token} came with other rows`);
        if (before) return [];
        written.set(token, given);
        for (const { event, time, sequence } of given) rows.get(sink)?.push({ event, time, sequence });
        return [];
      },
    });
    const engine = await drive(
      startEngine({
        topology: bound,
        log,
        store: noStore,
        logger: silent,
        clock,
        machineClock: clock,
        partitions,
        withoutSources: true,
        heap: simulatedHeap(),
        checkpointEveryMs: Number.MAX_SAFE_INTEGER,
      }),
    );
    const failed = engine.failed.then((error) => {
      throw error;
    });
    await drive(Promise.race([work({ engine, log }), failed]));
    const accounting = accountingOf(engine);
    dead = true;
    log.crash();
    return accounting;
  }

  async function append(log: MemoryLog, from: number, to: number): Promise<void> {
    const input = await log.find(names.inputStream(firstStage));
    for (const { subject, payload } of messages.slice(from, to)) await input?.append(subject, payload);
  }

  const [savedAt, diesAt] = [messages.length >> 1, messages.length - (messages.length >> 2)];
  await live(async ({ engine, log }) => {
    await append(log, 0, savedAt);
    await engine.settled();
    for (const unit of engine.units.values()) await unit.checkpoint();
    await append(log, savedAt, diesAt);
    await engine.settled();
  });
  const accounting = await live(async ({ engine, log }) => {
    await append(log, diesAt, messages.length);
    await engine.settled();
  });
  const buried = [...(storage.streams.get(names.deadLetterStream)?.messages.values() ?? [])];
  return { rows, deadLetters: deadLettersOf(buried), accounting };
}
