/**
 * Queries of Nexmark as Node-RED flows: an input, a `switch` that lets bids through, a `function`, and an output. Takes requests, one JSON
 * object a line, and answers with one line each.
 */
import { createWriteStream, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import type { PeerAnswer, PeerRequest } from '../request.ts';

const RED = createRequire(import.meta.url)('node-red');
/** Messages that the input gives before the runtime has its turn: more at once would only wait in its queue. */
const burst = 200;

/** Bodies of `function` nodes. */
const functions: Readonly<Record<string, string>> = {
  q0: 'const b = msg.payload; msg.payload = [b.auction, b.bidder, b.price, b.dateTime, b.extra]; return msg;',
  q1: 'const b = msg.payload; msg.payload = [b.auction, b.bidder, 0.908 * b.price, b.dateTime, b.extra]; return msg;',
  q2: 'const b = msg.payload; if (b.auction % 123 !== 0) return null; msg.payload = [b.auction, b.price]; return msg;',
  q13:
    'const b = msg.payload; msg.payload = [b.auction, b.bidder, b.price, b.dateTime, flow.get("side")[b.auction % 10000]]; ' +
    'return msg;',
  q14:
    'const b = msg.payload; const euros = 0.908 * b.price; if (!(euros > 1e6 && euros < 5e7)) return null; ' +
    'const hour = new Date(b.dateTime).getUTCHours(); ' +
    'const time = hour >= 8 && hour <= 18 ? "dayTime" : hour <= 6 || hour >= 20 ? "nightTime" : "otherTime"; ' +
    'msg.payload = [b.auction, b.bidder, euros, time, b.dateTime, b.extra, b.extra.split("c").length - 1]; return msg;',
  q21:
    'const b = msg.payload; const ids = { apple: "0", google: "1", facebook: "2", baidu: "3" }; ' +
    'const id = ids[b.channel.toLowerCase()] ?? /(?:&|^)channel_id=([^&]*)/.exec(b.url)?.[1]; ' +
    'if (id === undefined) return null; msg.payload = [b.auction, b.bidder, b.price, b.channel, id]; return msg;',
  q22:
    'const b = msg.payload; const parts = b.url.split("/"); ' +
    'msg.payload = [b.auction, b.bidder, b.price, b.channel, parts[3], parts[4], parts[5]]; return msg;',
};

/** What the input and output of the flow are handed. */
const run = {
  events: [] as unknown[],
  rows: undefined as unknown[][] | undefined,
  count: 0,
  /** Set by the input node, which also says when its flow has started: a deployment is answered before. */
  begin: () => {},
  started: () => {},
  done: () => {},
};

function flowOf(query: string): object[] {
  const node = (id: string, type: string, more: object) => ({ id, type, z: 'flow', name: id, x: 0, y: 0, ...more });
  return [
    { id: 'flow', type: 'tab', label: query },
    node('in', 'bench-in', { wires: [['bids']] }),
    node('bids', 'switch', {
      property: 'payload.kind',
      propertyType: 'msg',
      rules: [{ t: 'eq', v: 'bid', vt: 'str' }],
      checkall: 'true',
      outputs: 1,
      wires: [['row']],
    }),
    node('row', 'function', {
      func: `if (msg.isEnd) return msg; ${functions[query]}`,
      // The side input of q13.
      initialize: query === 'q13' ? 'flow.set("side", Array.from({ length: 10000 }, (_, key) => String(key)));' : '',
      outputs: 1,
      libs: [],
      wires: [['out']],
    }),
    node('out', 'bench-out', { wires: [] }),
  ];
}

const cell = (value: unknown) =>
  typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1_000) / 1_000 : value;

let loaded = { file: '', events: [] as unknown[] };

function eventsOf({ lines = '' }: PeerRequest): unknown[] {
  if (loaded.file !== lines) {
    const events = readFileSync(lines, 'latin1')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    loaded = { file: lines, events };
  }
  return loaded.events;
}

async function answer(request: PeerRequest): Promise<PeerAnswer> {
  if (!functions[request.query]) return { unsupported: 'its nodes keep no state by key and event time' };
  run.events = eventsOf(request);
  run.rows = request.rows === undefined ? undefined : [];
  run.count = 0;
  const all = new Promise<void>((resolve) => {
    run.done = resolve;
  });
  const started = new Promise<void>((resolve) => {
    run.started = resolve;
  });
  await RED.runtime.flows.setFlows({ flows: { flows: flowOf(request.query) }, deploymentType: 'full' });
  await started;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  run.begin();
  await all;
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  if (run.rows) {
    const file = createWriteStream(request.rows as string);
    for (const row of run.rows) file.write(`${JSON.stringify(row.map(cell))}\n`);
    file.end();
    await finished(file);
  }
  return { seconds, cpu_seconds: (user + system) / 1e6, rows: run.count };
}

Object.assign(globalThis, { machBench: { run, burst } });
const answers = process.stdout.write.bind(process.stdout);
// Whatever the runtime prints must not be taken for an answer.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
const userDir = mkdtempSync(join(tmpdir(), 'node-red-peer-'));
const server = createServer();
RED.init(server, {
  userDir,
  nodesDir: [new URL('nodes', import.meta.url).pathname],
  httpAdminRoot: false,
  httpNodeRoot: false,
  logging: { console: { level: 'off', metrics: false, audit: false } },
  editorTheme: { tours: false },
});
// It starts the flows of its folder (none) after it says that it has started.
const startedEmpty = new Promise<void>((resolve) => RED.events.once('flows:started', () => resolve()));
await RED.start();
await startedEmpty;
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line) as PeerRequest).catch((error: Error) => ({
    error: String(error.stack ?? error),
  }));
  answers(`${JSON.stringify(reply)}\n`);
}
await RED.stop();
process.exit(0);
