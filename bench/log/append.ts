/**
 * Appends in a second, of frames of 256 B and 64 KiB, at both durabilities, against what the same client reaches without
 * any promise (plain publish, its ceiling) and with `js.publish`, taken in turns in one run on one server.
 *
 * Client, server and disk share the machine. A round ends when everything sent in it is acknowledged; the stored count is
 * checked.
 */
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Durability, Log, LogStream } from '../../runtime/bus/index.ts';
import { connectLog } from '../../runtime/bus/index.ts';
import { limits } from '../../runtime/limits.ts';
import { withNats } from '../../runtime/testing/with-nats.ts';
import { machine } from '../machine.ts';

const sizes = [256, 64 * 1024] as const;
const durabilities: readonly Durability[] = ['disk', 'broker'];
export const appendRounds = 3;

export interface LogRate {
  readonly name: string;
  readonly bytes: number;
  readonly durability: Durability | 'none';
  readonly perSecond: number;
  readonly least: number;
  readonly most: number;
  readonly bytesPerSecond: number;
  /** Of the plain publish of the same size. */
  readonly ofCeiling: number;
}

interface Contender {
  readonly name: string;
  readonly bytes: number;
  readonly durability: Durability | 'none';
  /** Sends for so long; resolves with how many were done. */
  run(milliseconds: number): Promise<number>;
}

/** Keeps as many under way as the window allows, for so long. */
export async function keepSending(milliseconds: number, bytes: number, send: () => Promise<unknown>): Promise<number> {
  const width = Math.min(limits.publishWindowMessagesMax, Math.floor(limits.publishWindowBytesMax / bytes));
  const until = performance.now() + milliseconds;
  let sent = 0;
  const lane = async () => {
    while (performance.now() < until) {
      sent++;
      await send();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return sent;
}

/** Publishes without acknowledgement, in groups with a flush so that the client's own buffer stays bounded. */
async function publishPlain(nats: NatsConnection, payload: Uint8Array, milliseconds: number): Promise<number> {
  const group = Math.max(16, Math.floor((1024 * 1024) / payload.length));
  const until = performance.now() + milliseconds;
  let sent = 0;
  while (performance.now() < until) {
    for (let index = 0; index < group; index++) nats.publish('nobody', payload);
    sent += group;
    await nats.flush();
  }
  return sent;
}

async function contenders(nats: NatsConnection, log: Log): Promise<{ all: Contender[]; streams: LogStream[] }> {
  const all: Contender[] = [];
  const streams: LogStream[] = [];
  const manager = jetstream(nats);
  for (const bytes of sizes) {
    const payload = new Uint8Array(bytes).map((_, index) => index * 37);
    all.push({
      name: 'plain publish, no promise',
      bytes,
      durability: 'none',
      run: (milliseconds) => publishPlain(nats, payload, milliseconds),
    });
    for (const durability of durabilities) {
      const name = `bench-${durability}-${bytes}`;
      const stream = await log.stream({ name, subjects: [`${name}.>`], durability, bytesMax: 1024 ** 3 });
      streams.push(stream);
      all.push({
        name: 'js.publish',
        bytes,
        durability,
        run: (milliseconds) => keepSending(milliseconds, bytes, () => manager.publish(`${name}.peer`, payload)),
      });
      all.push({
        name: 'mach append',
        bytes,
        durability,
        run: (milliseconds) => keepSending(milliseconds, bytes, () => stream.append(`${name}.own`, payload)),
      });
    }
  }
  return { all, streams };
}

export async function measureAppends(roundMs: number): Promise<LogRate[]> {
  return withNats(
    async ({ url }) => {
      const nats = await connect({ servers: url, noAsyncTraces: true });
      const log = await connectLog({ url });
      const { all, streams } = await contenders(nats, log);
      const measured = all.map(() => [] as number[]);
      let stored = 0;
      for (const { run: warmUp, durability } of all) {
        const sent = await warmUp(roundMs / 5);
        if (durability !== 'none') stored += sent;
      }
      for (let round = 0; round < appendRounds; round++) {
        for (const [index, contender] of all.entries()) {
          const start = performance.now();
          const sent = await contender.run(roundMs);
          if (contender.durability !== 'none') stored += sent;
          measured[index]?.push((sent / (performance.now() - start)) * 1000);
        }
      }
      const states = await Promise.all(streams.map((stream) => stream.state()));
      const found = states.reduce((sum, { lastSequence }) => sum + lastSequence, 0);
      if (found !== stored) throw new Error(`${stored} messages were acknowledged, ${found} are stored`);
      await log.close();
      await nats.close();
      return ratesOf(all, measured);
    },
    { syncAlways: true },
  );
}

function ratesOf(all: readonly Contender[], measured: readonly number[][]): LogRate[] {
  const medians = measured.map(
    (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN,
  );
  return all.map(({ name, bytes, durability }, index) => {
    const perSecond = medians[index] as number;
    const ceiling = medians[all.findIndex((other) => other.bytes === bytes && other.durability === 'none')] as number;
    return {
      name,
      bytes,
      durability,
      perSecond,
      least: Math.min(...(measured[index] ?? [])),
      most: Math.max(...(measured[index] ?? [])),
      bytesPerSecond: perSecond * bytes,
      ofCeiling: perSecond / ceiling,
    };
  });
}

export function reportAppends(rates: readonly LogRate[], roundMs: number): void {
  const size = (bytes: number) => (bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`);
  const { cpu, cores, node } = machine();
  console.log(`median of ${appendRounds} rounds of ${roundMs} ms in turns; ${cpu}, ${cores} cores, node ${node}\n`);
  console.log('what                       size    durability     per s     MB/s   of ceiling   (least to most per s)');
  for (const rate of rates) {
    const cells = [
      rate.name.padEnd(26),
      size(rate.bytes).padEnd(7),
      rate.durability.padEnd(11),
      Math.round(rate.perSecond).toLocaleString('en').padStart(9),
      (rate.bytesPerSecond / 1e6).toFixed(1).padStart(8),
      `${(100 * rate.ofCeiling).toFixed(1)} %`.padStart(12),
      `  (${Math.round(rate.least).toLocaleString('en')} to ${Math.round(rate.most).toLocaleString('en')})`,
    ];
    console.log(cells.join(' '));
  }
}
