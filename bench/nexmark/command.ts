/** `npm run bench -- nexmark`: a query of Nexmark, or all of them one after the other, on the ordinary engine. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programArguments } from '../machine.ts';
import { checkLines } from './check.ts';
import { type LogKind, openLog } from './logs.ts';
import type { Query } from './queries.ts';
import { hashOf, writeLines } from './rows.ts';
import { collectLines, measureQuery, passingOf, prepareQuery, type RunOptions } from './run-query.ts';
import { openShareWorkers } from './shares.ts';
import { type Given, readArguments, usage } from './usage.ts';
import { kibibytesPerMebibyte, openWorkers, unitsOf } from './workers.ts';

export interface NexmarkResult {
  readonly query: string;
  readonly events: number;
  readonly seconds: number;
  readonly events_per_second: number;
  readonly rows: number;
  readonly sha256: string;
  readonly cpu_seconds: number;
  /** Of the processes of the engine together, each at its highest. */
  readonly max_rss_mb: number;
}

export async function run(args: string[]): Promise<void> {
  const given = readArguments(args);
  if (!given) return void process.stdout.write(usage);
  process.stdout.write(header());
  const results: NexmarkResult[] = [];
  const [only, ...others] = given.queries;
  if (only && others.length === 0) {
    results.push(await runOne(only, given));
    process.stdout.write(lineOf(results[0] as NexmarkResult));
  } else {
    for (const [index, query] of given.queries.entries()) {
      const { length } = given.queries;
      if (process.stdout.isTTY) process.stdout.write(`${query.name.padEnd(5)} ${index + 1} of ${length} ...\r`);
      const result = await runAlone(query, args);
      results.push(result);
      process.stdout.write(lineOf(result));
    }
  }
  const content = others.length === 0 ? results[0] : results;
  if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(content, null, 2)}\n`);
}

async function runOne(query: Query, given: Given): Promise<NexmarkResult> {
  const prepared = await prepareQuery(query, given.options);
  try {
    const { lines, ...measured } = await measureOn(given.log, { query, prepared, given });
    if (given.check) await checkLines({ query, stream: given.options, lines });
    if (given.rows !== undefined) await writeLines(lines, given.rows);
    return {
      query: query.name,
      events: given.options.events,
      seconds: measured.seconds,
      events_per_second: given.options.events / measured.seconds,
      rows: lines.length,
      sha256: hashOf(lines),
      cpu_seconds: measured.cpuSeconds,
      max_rss_mb: measured.maxRssMb,
    };
  } finally {
    await prepared.clean();
  }
}

async function measureOn(
  kind: LogKind,
  { query, prepared, given }: { query: Query; prepared: Awaited<ReturnType<typeof prepareQuery>>; given: Given },
) {
  if (kind === 'memory' && given.workers > 1) return measureShares(query, given);
  const {
    log,
    url,
    cpuSeconds: logCpuSeconds,
    close,
  } = await openLog(kind, passingOf(prepared.topology, { ...given.options, keepsRows: true }));
  const { workers } = given;
  const options: RunOptions = { ...given.options, folder: prepared.folder };
  const others = await openWorkers({ query: query.name, url: url ?? '', options, workers });
  try {
    const logBefore = logCpuSeconds();
    const theirs = others.run();
    const units = unitsOf(0, { partitions: options.partitions, workers });
    const [own, used] = await Promise.all([measureQuery(prepared.topology, log, { ...options, units }), theirs]);
    const maxRssMb = Math.round(process.resourceUsage().maxRSS / kibibytesPerMebibyte);
    const sum = (of: 'cpuSeconds' | 'maxRssMb') => used.reduce((total, one) => total + one[of], 0);
    const cpuSeconds = own.cpuSeconds + sum('cpuSeconds') + logCpuSeconds() - logBefore;
    const lines = await collectLines(prepared, log);
    const endedAt = Math.max(own.endedAt, ...used.map((worker) => worker.endedAt));
    return { seconds: (endedAt - own.beganAt) / 1_000, cpuSeconds, maxRssMb: maxRssMb + sum('maxRssMb'), lines };
  } finally {
    others.close();
    await close();
  }
}

async function measureShares(query: Query, { options, workers }: Given) {
  const { checkpointEveryMs, events, seed, rate, disorder } = options;
  const shares = openShareWorkers(workers);
  try {
    const stream = { events, seed, rate, disorder };
    return await shares.run({ query: query.name, stream, checkpointEveryMs, keepsRows: true });
  } finally {
    shares.close();
  }
}

/** In a process of its own: what one query leaves behind, in memory or in compiled code, is not the next one's. */
async function runAlone(query: Query, args: readonly string[]): Promise<NexmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), 'mach-nexmark-'));
  const json = join(folder, 'result.json');
  try {
    const own = [...args, '--query', query.name, '--json', json];
    await promisify(execFile)(process.execPath, [...programArguments('main.ts'), 'nexmark', ...own]);
    return JSON.parse(await readFile(json, 'utf8')) as NexmarkResult;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function header(): string {
  return `query     events/s  CPU s per million        rows   RSS MB  sha256 of the rows\n`;
}

function lineOf({ query, events, events_per_second, cpu_seconds, rows, max_rss_mb, sha256 }: NexmarkResult): string {
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const perMillion = ((cpu_seconds * 1e6) / Math.max(1, events)).toFixed(2);
  const cells = [
    query.padEnd(5),
    whole(events_per_second).padStart(12),
    perMillion.padStart(18),
    whole(rows).padStart(11),
    whole(max_rss_mb).padStart(8),
    ` ${sha256.slice(0, 16)}`,
  ];
  return `${cells.join(' ')}\n`;
}
