import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NexmarkResult } from './command.ts';
import { queries } from './queries.ts';
import { prepareQuery } from './run-query.ts';
import { readArguments } from './usage.ts';

const timeoutMs = 300_000;

function bench(...args: string[]) {
  return promisify(execFile)(process.execPath, ['bench/start.mjs', 'main.ts', 'nexmark', ...args]);
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mach-nexmark-test-'));
});

afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));

async function result(...args: string[]): Promise<NexmarkResult> {
  const json = join(folder, 'result.json');
  await bench(...args, '--json', json);
  return JSON.parse(await readFile(json, 'utf8')) as NexmarkResult;
}

describe('npm run bench -- nexmark', () => {
  it(
    'says what it has measured, and writes the rows down',
    async () => {
      const rows = join(folder, 'rows');
      const small = ['--query', 'q2', '--events', '20000', '--seed', '42'];
      const given = await result(...small, '--rows', rows);
      const text = await readFile(rows, 'utf8');
      expect(given).toMatchObject({
        query: 'q2',
        events: 20_000,
        rows: text.trimEnd().split('\n').length,
        sha256: createHash('sha256').update(text).digest('hex'),
      });
      expect(given.events_per_second).toBeCloseTo(given.events / given.seconds, 3);
      expect(given.cpu_seconds).toBeGreaterThan(0);
      expect(given.max_rss_mb).toBeGreaterThan(0);
      for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^\[\d+,\d+\]$/);
    },
    timeoutMs,
  );

  it(
    'gives the same rows by two workers over JetStream',
    async () => {
      const small = ['--query', 'q8', '--events', '20000', '--seed', '42'];
      const alone = await result(...small);
      const shared = await result(...small, '--log', 'jetstream', '--workers', '2');
      expect(shared.sha256).toBe(alone.sha256);
      expect(shared.rows).toBe(alone.rows);
    },
    timeoutMs,
  );

  it.each(['q2', 'q10'])(
    'gives the same rows of %s by two workers that have each a share of the stream and a log of its own',
    async (query) => {
      const small = ['--query', query, '--events', '20000', '--seed', '42'];
      const alone = await result(...small);
      const shared = await result(...small, '--workers', '2');
      expect(shared.sha256).toBe(alone.sha256);
      expect(shared.rows).toBe(alone.rows);
    },
    timeoutMs,
  );

  it(
    'runs several, in their usual order',
    async () => {
      const several = (await result('--query', 'q12,q2', '--events', '2000', '--seed', '42')) as unknown;
      expect(several).toMatchObject([
        { query: 'q2', events: 2_000 },
        { query: 'q12', events: 2_000 },
      ]);
    },
    timeoutMs,
  );

  it('shares out the queries that keep no state, and no others', async () => {
    for (const query of queries) {
      const prepared = await prepareQuery(query, { events: 1, seed: 1, rate: 1, disorder: 1 });
      await prepared.clean();
      const keepsNone = prepared.topology.operators.every(({ bound }) => bound.stateless !== undefined);
      expect(query.isStateless ?? false, query.name).toBe(keepsNone);
    }
  });

  it.each([
    [['--query', 'q6'], 'there is no query "q6"'],
    [['--query', 'q5,'], 'there is no query ""'],
    [['--query', 'q0,q5', '--rows', 'rows'], 'name one'],
    [['--query', 'q0,q5', '--workers', '2'], 'add --log jetstream'],
    [['--events', '1.5'], '--events is a whole number'],
    [['--disorder', '953'], '--disorder is no multiple of 953'],
    [['--query', 'q5', '--workers', '2'], 'add --log jetstream'],
    [['--query', 'q0', '--workers', '2', '--partitions', '4'], 'leave --partitions out'],
    [['--checkpoint', 'soon'], '--checkpoint is a time'],
    [['--rate', '0'], '--rate is a number of events a second'],
    [['--rows', 'rows'], 'name one'],
    [['--query', 'all,q1'], 'all stands by itself'],
  ])('refuses %j', (args, reason) => {
    expect(() => readArguments(args)).toThrow(reason);
  });

  it(
    'ends with code 2 after wrong use',
    async () => {
      await expect(bench('--query', 'q6')).rejects.toMatchObject({ code: 2 });
    },
    timeoutMs,
  );
});
