import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstTimeMs } from '../../connectors/nexmark/generator.ts';
import { causeOf, momentOf } from './causes.ts';
import { figuresOf } from './measure.ts';
import { type LatencyResult, targetOf, textOf } from './run.ts';
import { readArguments } from './usage.ts';

const timeoutMs = 300_000;

function bench(...args: string[]) {
  return promisify(execFile)(process.execPath, ['bench/start.mjs', 'main.ts', 'latency', ...args]);
}

describe('npm run bench -- latency', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-latency-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));

  it.each(['memory', 'jetstream'])(
    'measures every row of a real run, with the log %s',
    async (log) => {
      const json = join(folder, `${log}.json`);
      const small = ['--rate', '500', '--for', '1s', '--warm-up', '200ms', '--log', log];
      const { stdout } = await bench(...small, '--json', json);
      const result = JSON.parse(await readFile(json, 'utf8')) as LatencyResult;
      // 46 of 50 events are bids, and q0 has a row for each.
      expect(result).toMatchObject({ query: 'q0', log, events: 600, rows: 460, warm_up: 92, at_end: 0 });
      const { p50, p90, p99, p99_9, max } = result.latency_ms;
      expect([p50, p90, p99, p99_9, max]).toEqual([p50, p90, p99, p99_9, max].sort((a, b) => a - b));
      expect(p50).toBeGreaterThan(0);
      expect(result.target.met).toBeUndefined();
      expect(stdout).toContain(textOf(result));
    },
    timeoutMs,
  );

  it.each([
    [['--query', 'q6'], 'there is no query "q6"'],
    [['--query', 'q12'], 'its windows hang on the clock'],
    [['--rate', '0'], '--rate is a whole number from 1'],
    [['--for', 'long'], '--for is a time such as 10s'],
    [['--log', 'paper'], '--log is memory or jetstream'],
    [['--rate', '1000000', '--for', '60s'], 'all of them are kept'],
  ])('refuses %j', (args, reason) => {
    expect(() => readArguments(args)).toThrow(reason);
  });

  it(
    'ends with code 2 after wrong use, and says how it is used',
    async () => {
      await expect(bench('--query', 'q6')).rejects.toMatchObject({ code: 2 });
      expect((await bench('--help')).stdout).toContain('--warm-up 5s');
    },
    timeoutMs,
  );

  it('says whether the target is met only at the rate of the target', () => {
    expect(targetOf(10_000, 24.9).met).toBe(true);
    expect(targetOf(10_000, 25).met).toBe(false);
    expect(targetOf(9_999, 1).met).toBeUndefined();
  });
});

describe('what a row waited for', () => {
  const rate = 10_000;
  const at = (ms: number) => firstTimeMs + ms;

  it('is the event whose time it bears, the first of its millisecond within the message', () => {
    expect(causeOf(at(3), { from: 20, to: 60 }, rate)).toBe(30);
    expect(causeOf(at(3), { from: 35, to: 60 }, rate)).toBe(35);
  });

  it('is the first event of a new second for a window', () => {
    expect(causeOf(at(2_000), { from: 69_990, to: 70_030 }, rate)).toBe(70_000);
    // The second began with the message before: nothing else is known of it than its message.
    expect(causeOf(at(2_000), { from: 70_010, to: 70_030 }, rate)).toBe(70_010);
    expect(causeOf(at(2_000), { from: 70_000, to: 70_030 }, rate)).toBe(70_000);
  });

  it('is right where a millisecond is no whole number of events', () => {
    // At 3 events a second the second one has the time 333 ms.
    expect(causeOf(at(333), { from: 0, to: 3 }, 3)).toBe(1);
    expect(momentOf(1, { beginMs: 1_000, rate: 3 })).toBeCloseTo(1_333.33, 1);
  });
});

describe('the figures', () => {
  const message = { from: 0, to: 20, acceptedAt: 104, storedAt: 105 };
  const schedule = { beginMs: 100, rate: 10_000 };
  const rows = [
    { time: firstTimeMs, sequence: 1 },
    { time: firstTimeMs + 1, sequence: 1 },
    { time: firstTimeMs, sequence: 2 },
  ];
  const evidence = {
    input: new Map([[1, message]]),
    logged: rows.map((row) => ({ ...row, storedAt: 110 })),
    schedule,
    fromMs: 0,
  };
  const arrived = rows.map((row) => ({ ...row, at: 131 }));

  it('count from the moment for which the event was meant, without rows of the end and of the warm-up', () => {
    expect(figuresOf(arrived, evidence)).toMatchObject({
      rows: 2,
      at_end: 1,
      warm_up: 0,
      latency_ms: { p50: 30, max: 31 },
      hops_ms: {
        'intended to accepted': { max: 4 },
        'accepted to input log': { max: 1 },
        'input log to output log': { max: 5 },
        'output log to sink': { max: 21 },
      },
    });
    expect(figuresOf(arrived, { ...evidence, fromMs: 101 })).toMatchObject({
      rows: 1,
      warm_up: 1,
      latency_ms: { p50: 30 },
    });
  });

  it('are none when the sink did not get the rows of the log', () => {
    expect(() => figuresOf(arrived.slice(1), evidence)).toThrow('the sink got 2 rows, and the log has 3');
    expect(() => figuresOf([...arrived].reverse(), evidence)).toThrow('row 1 of the sink is not that of the log');
  });
});
