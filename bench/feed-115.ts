/**
 * What the `feed-115` source alone can take: real gRPC over loopback, decoding, checks and acknowledgements, into a log that
 * answers after a group commit's time. The server has its own process, so that its share of a core can be told.
 *
 *   npm run bench -- feed-115 [--rate 20000] [--for 10s] [--batch 200] [--json FILE]
 *
 * Without `--rate` the sender goes as fast as acknowledgements come.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { connectFeed, type Item } from '../connectors/feed-115/client.ts';
import { feed115 } from '../connectors/feed-115/index.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Checker, limits, parseDuration, type SourceContext } from '../runtime/stream/index.ts';
import { forkProgram } from './machine.ts';

const centre = '115-bench';

interface ServerReport {
  readonly events: number;
  readonly cpuSeconds: number;
}

/** Answers appends in groups, as the engine does, and stores nothing. */
function groupCommitContext(counted: { events: number }): SourceContext {
  let waiting: (() => void)[] = [];
  const commit = () => {
    const group = waiting;
    waiting = [];
    for (const resolve of group) resolve();
  };
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  return {
    node: 'bench',
    clock: systemClock(),
    machineClock: systemClock(),
    logger: quiet,
    signal: new AbortController().signal,
    append(request) {
      counted.events += request.events.length;
      return new Promise((resolve) => {
        if (waiting.push(resolve) === 1) setTimeout(commit, limits.groupCommitWindowMs);
      });
    },
    mark: () => undefined,
    originClosed() {},
    async ended() {},
    count() {},
    gauge() {},
    async *subscribe() {},
  };
}

/** The server. */
export async function runProgram(): Promise<void> {
  const counted = { events: 0 };
  const check = { resolveFile: (path: string) => path, problem() {} } as unknown as Checker;
  const bound = feed115.bind({ options: feed115.options.parse({ listen: '127.0.0.1:0' }), check });
  const running = await bound.open(groupCommitContext(counted));
  let start = process.cpuUsage();
  process.on('message', async (message: string) => {
    if (message === 'start') {
      start = process.cpuUsage();
      counted.events = 0;
      process.send?.('started');
      return;
    }
    const { user, system } = process.cpuUsage(start);
    process.send?.({ events: counted.events, cpuSeconds: (user + system) / 1e6 } satisfies ServerReport);
    await running.close();
    process.disconnect();
  });
  process.send?.(running.address);
}

/** Mostly ambulances, some calls, few diversions: every field that usually has a value. */
function makeItem(index: number, now: number): Item {
  if (index % 200 === 0) {
    return {
      diversion: { hospital: `BV-${index % 8}`, changed_ms: now, active: index % 400 === 0, reason: 'quá tải' },
    };
  }
  const latitude = 10.7 + (index % 997) / 10_000;
  const longitude = 106.6 + (index % 991) / 10_000;
  if (index % 5 === 0) {
    return {
      call: {
        call_id: `C-${index}`,
        received_ms: now - 30_000,
        answered_ms: now - 24_000,
        caller_phone_hash: 'a94a8fe5ccb19ba61c4c0873d391e987',
        address: `${index % 300} đường Thử Nghiệm, phường Mẫu`,
        latitude,
        longitude,
        complaint_code: `K${index % 40}`,
        priority: 1 + (index % 5),
        station: `TRAM-${index % 30}`,
        required_capability: index % 7,
      },
    };
  }
  return {
    unit: {
      unit_id: `XE-${index % 120}`,
      reported_ms: now,
      call_id: `C-${index - (index % 5)}`,
      station: `TRAM-${index % 30}`,
      latitude,
      longitude,
      hospital: `BV-${index % 8}`,
      call_received_ms: now - 900_000,
      dispatch_notified_ms: now - 860_000,
      en_route_ms: now - 800_000,
      arrived_scene_ms: now - 400_000,
      left_scene_ms: now - 100_000,
    },
  };
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: 'string' },
      for: { type: 'string', default: '10s' },
      batch: { type: 'string', default: '200' },
      json: { type: 'string' },
    },
  });
  const durationMs = parseDuration(values.for) ?? 10_000;
  const rate = values.rate === undefined ? Number.POSITIVE_INFINITY : Number(values.rate);
  const child = forkProgram('feed-115.ts');
  try {
    const [address] = (await once(child, 'message')) as [string];
    const client = await connectFeed({ address, centre, batchItemsMax: Number(values.batch) });
    await drive(client.send.bind(client), { rate, durationMs: 1_000 });
    await client.flush();
    child.send('start');
    await once(child, 'message');
    const start = performance.now();
    await drive(client.send.bind(client), { rate, durationMs });
    await client.flush();
    const seconds = (performance.now() - start) / 1000;
    child.send('stop');
    const [{ events, cpuSeconds }] = (await once(child, 'message')) as [ServerReport];
    await client.close();
    const result = {
      events,
      seconds,
      events_per_second: events / seconds,
      server_cores: cpuSeconds / seconds,
      server_microseconds_per_event: (cpuSeconds * 1e6) / events,
    };
    process.stdout.write(
      `feed-115: ${Math.round(result.events_per_second).toLocaleString('en')} items/s, ` +
        `${(result.server_cores * 100).toFixed(0)} % of a core in the server, ${result.server_microseconds_per_event.toFixed(1)} µs an item\n`,
    );
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  } finally {
    child.kill();
  }
}

/** Sends at a rate, in steps of 5 ms; what a step could not send is sent in the next. */
async function drive(send: (item: Item) => Promise<void>, { rate, durationMs }: { rate: number; durationMs: number }) {
  const start = performance.now();
  let sent = 0;
  for (;;) {
    const elapsedMs = performance.now() - start;
    if (elapsedMs >= durationMs) return;
    const due = rate === Number.POSITIVE_INFINITY ? sent + 1_000 : Math.floor((elapsedMs / 1000) * rate);
    const now = Date.now();
    while (sent < due) await send(makeItem(++sent, now));
    await new Promise((resolve) => setTimeout(resolve, rate === Number.POSITIVE_INFINITY ? 0 : 5));
  }
}
