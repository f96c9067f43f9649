/**
 * A state that does not fit into the heap of the process: V8 would end it without a word. The engine says that it fills up, stops before, and stays
 * there to say so; with a larger heap the next start has everything, once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startEngineProcess, statusOf } from './engine-process.ts';

const events = 1_500_000;
/** Of 50 events 46 are bids. */
const bids = (events / 50) * 46;

const topology = `
version: 1
name: full-heap
sources:
  events:
    nexmark: { events: ${events} }
    disorder: 4s
    idle: 30d
operators:
  bids:
    filter: { from: events, when: kind == "bid" }
  keyed:
    map:
      from: bids
      keep: []
      set: { key: 'string(auction) + " of a bidder whose number is " + string(bidder) + " at " + string(date_time)' }
  counted:
    aggregate:
      from: keyed
      key: key
      window: { global: true, early: 1d }
      values: { bids: count() }
sinks:
  rows:
    discard: { from: counted }
`;

it('says that its heap fills up, stops before it is full, and goes on with a larger one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mach-full-heap-'));
  const file = join(directory, 'full-heap.yaml');
  writeFileSync(file, topology);
  const args = [file, '--data', join(directory, 'data')];
  const env = (mebibytes: number) => ({
    NODE_OPTIONS: `--max-old-space-size=${mebibytes}`,
    NATS_URL: '',
    CLICKHOUSE_URL: '',
  });
  try {
    const small = await startEngineProcess(args, env(192));
    const says = (code: string) => small.lines.find((line) => line.code === code)?.msg;
    while (says('MACH3254') === undefined && small.process.exitCode === null) await sleep(50);
    expect(says('MACH3254')).toMatch(/is full, no more is handled: .* of 192 live.*; most keys: counted \d+$/);
    const readiness = async () => (await fetch(`${small.observeUrl}/readyz`)).json();
    expect(await readiness()).toMatchObject({ ready: false, reasons: [expect.stringContaining('is full')] });
    const held = (await statusOf(small)).stage.sequence;
    // Long enough for the checkpoints that it must not take.
    await sleep(12_000);
    expect(small.process.exitCode).toBeNull();
    expect(await readiness()).toMatchObject({ ready: false, reasons: [expect.stringContaining('is full')] });
    const status = await statusOf(small);
    // What was being handled when it stopped.
    expect(status.stage.sequence).toBeLessThanOrEqual(held + 1);
    expect(status.stage.lastSequence).toBeGreaterThan(status.stage.sequence);
    await small.kill();

    const large = await startEngineProcess(args, env(2_048));
    const isOver = async () => {
      const { stage, accounting } = await statusOf(large);
      return stage.sequence === stage.lastSequence && accounting.in === events;
    };
    while (!(await isOver()) && large.process.exitCode === null) await sleep(100);
    const { accounting, nodes } = await statusOf(large);
    expect(accounting).toMatchObject({ in: events, delivered: bids, filtered: events - bids, dead_lettered: 0 });
    expect(nodes.find(({ id }) => id === 'counted')?.in).toBe(bids);
    await large.kill();
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
});
