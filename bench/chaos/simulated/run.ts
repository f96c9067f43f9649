/** `npm run chaos -- --simulated`: many seeds on several threads, progress on stderr, the result on stdout. */
import { writeFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { exitCodes, type SimulatedArguments } from '../arguments.ts';
import type { SeedsResult } from './seeds.ts';
import { describeFailure, type Failure } from './shrink.ts';
import { addTally, describeReport, emptyTally, type Report, unproven } from './tally.ts';
import type { Order } from './worker.ts';

/** Small, so that the threads end together. */
const seedsOfOneOrder = 10;
const failuresShownMax = 10;
const progressEveryMs = 2_000;

function ordersOf({ firstSeed, lastSeed, partitions }: SimulatedArguments): Order[] {
  const orders: Order[] = [];
  const form = partitions === undefined ? {} : { partitions };
  for (let first = firstSeed; first <= lastSeed; first += seedsOfOneOrder) {
    orders.push({ first, last: Math.min(lastSeed, first + seedsOfOneOrder - 1), ...form });
  }
  return orders;
}

/** Hands one order after the other to a thread until none is left. */
function runThread(orders: Order[], take: (result: SeedsResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url));
    const next = () => {
      const order = orders.shift();
      if (order) worker.postMessage(order);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('message', (result: SeedsResult) => {
      take(result);
      next();
    });
    worker.on('error', reject);
    next();
  });
}

export async function runSimulated(args: SimulatedArguments): Promise<number> {
  const began = performance.now();
  const orders = ordersOf(args);
  const tally = emptyTally();
  const failures: Failure[] = [];
  const total = args.lastSeed - args.firstSeed + 1;
  let toldAt = began;
  const take = (result: SeedsResult) => {
    addTally(tally, result.tally);
    for (const failure of result.failures) {
      failures.push(failure);
      if (failures.length <= failuresShownMax) process.stderr.write(`${describeFailure(failure)}\n`);
    }
    if (performance.now() - toldAt < progressEveryMs) return;
    toldAt = performance.now();
    process.stderr.write(`${tally.seeds} of ${total} seeds, ${tally.failed} failed\n`);
  };
  const threads = Math.min(args.threads, orders.length);
  await Promise.all(Array.from({ length: threads }, () => runThread(orders, take)));
  const missing = unproven(tally);
  const report: Report = {
    mode: 'simulated',
    firstSeed: args.firstSeed,
    lastSeed: args.lastSeed,
    partitions: args.partitions ?? null,
    passed: failures.length === 0 && missing.length === 0,
    ...tally,
    unproven: missing,
    failures: failures.sort((a, b) => a.seed - b.seed),
    tookMs: Math.round(performance.now() - began),
  };
  process.stdout.write(`${describeReport(report)}\n`);
  if (args.json !== undefined) await writeFile(args.json, `${JSON.stringify(report, null, 2)}\n`);
  return report.passed ? exitCodes.held : exitCodes.broken;
}
