/**
 * What the log costs from one end to the other: appended and read back at the same time, against what the same client reaches with nothing of
 * ours between (its ceiling), in turns in one run.
 */
import { jetstream, jetstreamManager, PersistMode } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Durability, Log, ObjectStore } from '../../runtime/bus/index.ts';
import { connectLog } from '../../runtime/bus/index.ts';
import { memoryLog } from '../../runtime/bus/memory/log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { withNats } from '../../runtime/testing/with-nats.ts';
import { type Spread, spreadOf } from '../compare/spread.ts';
import { keepSending } from './append.ts';

const eventBytes = 256;
const eventsPerFrame = 256;
const frameBytes = eventBytes * eventsPerFrame;
const checkpointBytes = 1024 * 1024;
const checkpointEveryMs = 1_000;
const streamBytesMax = 8 * 1024 ** 3;

export interface ThroughRate {
  readonly name: string;
  readonly eventsPerSecond: Spread;
  /** Of the raw client's, for messages of the same size. */
  readonly ofCeiling: number;
}

interface Way {
  readonly name: string;
  readonly eventsPerMessage: number;
  /** Sends for so long, ends when all has come back; resolves with messages a second. */
  run(milliseconds: number): Promise<number>;
}

export async function measureThrough(rounds: number, roundMs: number): Promise<ThroughRate[]> {
  return withNats(
    async ({ url }) => {
      const nats = await connect({ servers: url, noAsyncTraces: true });
      const log = await connectLog({ url });
      const memory = memoryLog({ clock: systemClock() });
      try {
        const ways = waysOf(nats, log, memory);
        const measured = ways.map(() => [] as number[]);
        for (const { run } of ways) await run(roundMs / 4);
        for (let round = 0; round < rounds; round++)
          for (const [at, { run, eventsPerMessage }] of ways.entries())
            measured[at]?.push((await run(roundMs)) * eventsPerMessage);
        return ratesOf(ways, measured);
      } finally {
        await memory.close();
        await log.close();
        await nats.close();
      }
    },
    { syncAlways: true },
  );
}

function waysOf(nats: NatsConnection, log: Log, memory: Log): Way[] {
  const frames = { bytes: frameBytes, eventsPerMessage: eventsPerFrame };
  const single = { bytes: eventBytes, eventsPerMessage: 1 };
  const own = (name: string, of: Log, size: typeof frames, more: Partial<Through>): Way => ({
    name,
    eventsPerMessage: size.eventsPerMessage,
    run: (milliseconds) => throughLog({ log: of, durability: 'broker', bytes: size.bytes, milliseconds, ...more }),
  });
  return [
    ...[single, frames].map(({ bytes, eventsPerMessage }) => ({
      name: `raw client, ${bytes === frameBytes ? 'frames' : 'single events'}`,
      eventsPerMessage,
      run: (milliseconds: number) => throughRawClient(nats, bytes, milliseconds),
    })),
    own('in memory, frames', memory, frames, {}),
    own('JetStream, single events', log, single, {}),
    own('JetStream, frames', log, frames, {}),
    own('JetStream, frames, checkpoints', log, frames, { checkpoints: true }),
    own('JetStream, frames, a disk sync each', log, frames, { durability: 'disk' }),
  ];
}

/** Each round has streams of its own. */
let streams = 0;

interface Through {
  readonly log: Log;
  readonly durability: Durability;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly checkpoints?: boolean;
}

/** As the engine does it: every append with an identity, acknowledged and in one order; read without gaps. */
async function throughLog({ log, durability, bytes, milliseconds, checkpoints }: Through): Promise<number> {
  const name = `through-${streams++}`;
  const stream = await log.stream({ name, subjects: [`${name}.>`], durability, bytesMax: streamBytesMax });
  const payload = new Uint8Array(bytes).map((_, index) => index * 37);
  const stop = new AbortController();
  let read = 0;
  let last = Number.POSITIVE_INFINITY;
  const reading = (async () => {
    for await (const { sequence } of stream.read({ fromSequence: 1, signal: stop.signal })) {
      read++;
      if (sequence !== read) throw new Error(`message ${sequence} came in place ${read}`);
      if (read === last) stop.abort();
    }
  })();
  const saving = checkpoints ? saveAgainAndAgain(await log.objects(`${name}-state`), milliseconds) : undefined;
  const began = performance.now();
  let sent = 0;
  last = await keepSending(milliseconds, bytes, () =>
    stream.append(`${name}.all`, payload, { id: `${name}/${sent++}` }),
  );
  if (read >= last) stop.abort();
  await reading;
  const seconds = (performance.now() - began) / 1_000;
  await saving;
  if (read !== last) throw new Error(`${last} messages were acknowledged, ${read} came back`);
  return read / seconds;
}

async function saveAgainAndAgain(store: ObjectStore, milliseconds: number): Promise<void> {
  const state = new Uint8Array(checkpointBytes).map((_, index) => index * 31);
  const until = performance.now() + milliseconds;
  for (let number = 0; performance.now() < until; number++) {
    await store.put(`checkpoint-${number % 2}`, state);
    await new Promise((resolve) => setTimeout(resolve, checkpointEveryMs));
  }
}

/** As durable as the streams of durability `broker`: acknowledged publishes and an ordered consumer of the client's own, with nothing that makes them effectively once. */
async function throughRawClient(nats: NatsConnection, bytes: number, milliseconds: number): Promise<number> {
  const name = `raw-${streams++}`;
  const manager = await jetstreamManager(nats);
  await manager.streams.add({
    name,
    subjects: [`${name}.>`],
    max_bytes: streamBytesMax,
    persist_mode: PersistMode.Async,
  });
  const client = jetstream(nats);
  const payload = new Uint8Array(bytes).map((_, index) => index * 37);
  const consumer = await client.consumers.get(name);
  const messages = await consumer.consume({ max_messages: 500 });
  let read = 0;
  let last = Number.POSITIVE_INFINITY;
  const reading = (async () => {
    for await (const _message of messages) {
      read++;
      if (read >= last) break;
    }
  })();
  const began = performance.now();
  last = await keepSending(milliseconds, bytes, () => client.publish(`${name}.all`, payload));
  if (read >= last) messages.stop();
  await reading;
  const seconds = (performance.now() - began) / 1_000;
  await manager.streams.delete(name);
  return read / seconds;
}

function ratesOf(ways: readonly Way[], measured: readonly number[][]): ThroughRate[] {
  const spreads = measured.map(spreadOf);
  const ceilingOf = ({ eventsPerMessage }: Way) => {
    const at = ways.findIndex((way) => way.name.startsWith('raw client') && way.eventsPerMessage === eventsPerMessage);
    return spreads[at]?.median ?? Number.NaN;
  };
  return ways.map((way, at) => {
    const eventsPerSecond = spreads[at] as Spread;
    return { name: way.name, eventsPerSecond, ofCeiling: eventsPerSecond.median / ceilingOf(way) };
  });
}
