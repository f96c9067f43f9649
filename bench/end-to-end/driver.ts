/**
 * Sends the traffic: 115 centres over gRPC and hospitals over MLLP, each with connections of its own. In an open loop every
 * event has an intended time; it goes out then, or as soon after as this process can, whatever has been answered. What waits
 * for answers has a bound, and meeting it ends the run: traffic is never thinned in silence.
 */
import { connectFeed, type FeedClient } from '../../connectors/feed-115/client.ts';
import { type Hl7Client, hl7Client } from '../../connectors/hl7-mllp/client.ts';
import type { ClosedLoop, Connect, Driven, FromDriver, OpenLoop, ToDriver } from './messages.ts';
import {
  centres,
  feedItem,
  hl7Message,
  hospitals,
  isKept,
  isSentTwice,
  monotonicMs,
  type Protocol,
  poissonTimes,
  protocolOf,
} from './workload.ts';

const unansweredMax = 200_000;
const tickMs = 1;
/** Events sent in one turn of a closed loop. */
const turnEvents = 500;

let feeds: FeedClient[] = [];
let hl7: Hl7Client[] = [];
let refused: string | null = null;
let readable = 0;

const tell = (message: FromDriver) => process.send?.(message);

function fail(error: unknown): void {
  tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
}

async function connect({ feedAddress, hl7Port, feedBatch }: Connect): Promise<void> {
  feeds = await Promise.all(
    Array.from({ length: centres }, (_, index) =>
      connectFeed({
        address: feedAddress,
        centre: `115-${index}`,
        batchItemsMax: feedBatch,
        batchDelayMs: 1,
        keptItemsMax: unansweredMax,
        onDisconnect: (error) => fail(error),
      }),
    ),
  );
  hl7 = Array.from({ length: hospitals }, () => hl7Client({ port: hl7Port, inFlight: 128, attempts: 1 }));
}

function sendFeed(number: number, at: number): void {
  const client = feeds[number % feeds.length] as FeedClient;
  if (client.kept >= unansweredMax) throw new Error(`${client.kept} items wait for an acknowledgement`);
  client.send(feedItem(number, at)).catch(fail);
  if (isSentTwice(number)) client.send(feedItem(number, at)).catch(fail);
}

function sendHl7(number: number, at: number): void {
  const client = hl7[number % hl7.length] as Hl7Client;
  if (client.pending >= unansweredMax) throw new Error(`${client.pending} messages wait for an answer`);
  for (let copy = 0; copy <= (isSentTwice(number) ? 1 : 0); copy++) {
    client.send(hl7Message(number, at, copy)).then((answer) => {
      if (answer.code !== 'AA') refused ??= `${answer.code} ${answer.text}`;
    }, fail);
  }
}

function send(protocol: Protocol, number: number, at: number): number {
  if (protocol === 'feed-115') sendFeed(number, at);
  else sendHl7(number, at);
  return isSentTwice(number) ? 2 : 1;
}

/** Resolves with what was sent, once the last event has gone out. */
async function followSchedule(command: OpenLoop): Promise<Driven> {
  const times = poissonTimes(command);
  const cpu = process.cpuUsage();
  const startedAt = monotonicMs();
  const startedWall = Date.now();
  let next = 0;
  let sent = 0;
  let lateMaxMs = 0;
  while (next < times.length) {
    const now = monotonicMs() - startedAt;
    if ((times[next] as number) <= now) lateMaxMs = Math.max(lateMaxMs, now - (times[next] as number));
    for (; next < times.length && (times[next] as number) <= now; next++) {
      const number = command.firstNumber + next;
      sent += send(protocolOf(number, command.feedShare), number, Math.floor(startedWall + (times[next] as number)));
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  return report({ numbers: next, sent, startedAt, startedWall, lateMaxMs, cpu });
}

async function sendAsRead(command: ClosedLoop): Promise<Driven> {
  const cpu = process.cpuUsage();
  const startedAt = monotonicMs();
  const startedWall = Date.now();
  readable = 0;
  let next = 0;
  let kept = 0;
  let sent = 0;
  while (monotonicMs() - startedAt < command.durationMs) {
    const now = Date.now();
    for (let turn = 0; turn < turnEvents && kept - readable < command.waitingMax; turn++) {
      const number = command.firstNumber + next++;
      if (isKept(number)) kept++;
      sent += send(command.protocol, number, now);
    }
    await new Promise((resolve) => setTimeout(resolve, kept - readable < command.waitingMax ? 0 : tickMs));
  }
  return report({ numbers: next, sent, startedAt, startedWall, lateMaxMs: 0, cpu });
}

function report(args: Omit<Driven, 'kind' | 'endedAt' | 'cpuSeconds'> & { cpu: NodeJS.CpuUsage }): Driven {
  const { cpu, ...rest } = args;
  const { user, system } = process.cpuUsage(cpu);
  return { kind: 'driven', ...rest, endedAt: monotonicMs(), cpuSeconds: (user + system) / 1e6 };
}

/** Every sender has its answer: what is then not in the table is lost. */
async function flush(): Promise<void> {
  await Promise.all(feeds.map((feed) => feed.flush()));
  while (hl7.some((client) => client.pending > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
  if (refused !== null) throw new Error(`a message was refused: ${refused}`);
  const items = feeds.reduce((sum, feed) => sum + feed.refused, 0);
  if (items > 0) throw new Error(`${items} items were refused`);
  tell({ kind: 'flushed' });
}

async function obey(command: ToDriver): Promise<void> {
  switch (command.kind) {
    case 'connect':
      await connect(command);
      tell({ kind: 'connected' });
      return;
    case 'readable':
      readable = command.rows;
      return;
    case 'close':
      for (const feed of feeds) await feed.close();
      for (const client of hl7) client.close();
      process.disconnect();
      return;
    default:
      tell(command.kind === 'open-loop' ? await followSchedule(command) : await sendAsRead(command));
      await flush();
  }
}

process.on('message', (command: ToDriver) => {
  obey(command).catch(fail);
});
