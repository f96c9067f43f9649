/** `npm run bench -- nexmark`: a query of Nexmark, or all of them, on the ordinary engine. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../runtime/stream/options.ts';
import { type Query, queries } from './queries.ts';
import { collectRows, loadQuery, measureQuery, openMemoryLog, type RunOptions } from './run-query.ts';

export interface NexmarkResult {
  readonly query: string;
  readonly events: number;
  readonly seconds: number;
  readonly events_per_second: number;
  readonly rows: number;
  readonly sha256: string;
  readonly cpu_seconds: number;
  readonly max_rss_mb: number;
}

const bytesPerMegabyte = 1024;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      query: { type: 'string', default: 'all' },
      events: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '42' },
      rate: { type: 'string', default: '10000' },
      disorder: { type: 'string', default: '1' },
      partitions: { type: 'string', default: '1' },
      log: { type: 'string', default: 'memory' },
      checkpoint: { type: 'string', default: '10s' },
      rows: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const options: RunOptions = {
    events: Number(values.events),
    seed: Number(values.seed),
    rate: Number(values.rate),
    disorder: Number(values.disorder),
    partitions: Number(values.partitions),
    checkpointEveryMs: parseDuration(values.checkpoint) ?? 10_000,
  };
  const chosen = values.query === 'all' ? queries : queries.filter(({ name }) => name === values.query);
  if (chosen.length === 0) throw new Error(`there is no query "${values.query}"`);
  const results: NexmarkResult[] = [];
  for (const query of chosen) {
    const result = await runOne(query, options, values.rows);
    results.push(result);
    process.stdout.write(
      `${query.name.padEnd(4)} ${Math.round(result.events_per_second).toLocaleString('en').padStart(12)} events/s ` +
        `${result.rows.toLocaleString('en').padStart(12)} rows  ${result.sha256}\n`,
    );
  }
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify(values.query === 'all' ? results : results[0], null, 2)}\n`);
}

async function runOne(query: Query, options: RunOptions, file: string | undefined): Promise<NexmarkResult> {
  const topology = loadQuery(query, options);
  const log = openMemoryLog();
  const { seconds, cpuSeconds } = await measureQuery(topology, log, options);
  const max_rss_mb = Math.round(process.resourceUsage().maxRSS / bytesPerMegabyte);
  const { count, sha256 } = await collectRows(topology, log, { query, file });
  await log.close();
  return {
    query: query.name,
    events: options.events,
    seconds,
    events_per_second: options.events / seconds,
    rows: count,
    sha256,
    cpu_seconds: cpuSeconds,
    max_rss_mb,
  };
}
