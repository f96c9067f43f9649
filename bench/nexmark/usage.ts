/** The command line of `nexmark`. */
import { parseArgs } from 'node:util';
import { disorderStep } from '../../connectors/nexmark/generator.ts';
import { limits } from '../../runtime/limits.ts';
import { parseDuration } from '../../runtime/stream/options.ts';
import { UseError, whole } from '../arguments.ts';
import { type LogKind, logKinds } from './logs.ts';
import { type Query, queries } from './queries.ts';
import type { RunOptions } from './run-query.ts';

export interface Given {
  /** In the order of `queries`. */
  readonly queries: readonly Query[];
  readonly options: Omit<RunOptions, 'folder'>;
  readonly workers: number;
  readonly log: LogKind;
  /** Where the rows are written. */
  readonly rows: string | undefined;
  readonly json: string | undefined;
  /** The rows are compared with those of the same query in batch. */
  readonly check: boolean;
}

export const usage = `npm run bench -- nexmark [options]

  --query all               one, several (q1,q5) or all of ${queries.map(({ name }) => name).join(', ')}
  --events 1000000          --seed 42   --rate 10000 (events a second of event time)   --disorder 1 (events that are mixed)
  --log memory|jetstream    jetstream: through a nats-server of its own
  --workers 1               processes; queries with state need --log jetstream
  --partitions N            as many as workers when absent
  --checkpoint 10s          time between checkpoints
  --check                   compares the rows with those of the query in batch; exit code 1 when one differs
  --rows FILE               the rows of one query: JSON arrays, sorted by text
  --json FILE               the figures
`;

/** Undefined: help is wanted. */
export function readArguments(args: readonly string[]): Given | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      query: { type: 'string', default: 'all' },
      events: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '42' },
      rate: { type: 'string', default: '10000' },
      disorder: { type: 'string', default: '1' },
      partitions: { type: 'string' },
      workers: { type: 'string', default: '1' },
      log: { type: 'string', default: 'memory' },
      checkpoint: { type: 'string', default: '10s' },
      rows: { type: 'string' },
      json: { type: 'string' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const workers = whole('workers', values.workers, { least: 1, most: limits.workersMax });
  const partitions = whole('partitions', values.partitions ?? values.workers, { least: 1, most: limits.partitionsMax });
  const log = logKinds.find((kind) => kind === values.log);
  if (!log) throw new UseError(`--log is ${logKinds.join(' or ')}, not "${values.log}"`);
  if (workers > partitions) throw new UseError(`--workers ${workers} are more than the --partitions ${partitions}`);
  const wanted = queriesOf(values.query);
  if (workers > 1 && log === 'memory' && !wanted.every(({ isStateless }) => isStateless))
    throw new UseError('--workers are processes, which cannot share a log in memory: add --log jetstream');
  if (workers > 1 && log === 'memory' && partitions !== workers)
    throw new UseError('--workers over logs in memory have one partition each: leave --partitions out');
  if (wanted.length > 1 && values.rows !== undefined)
    throw new UseError('--rows is for the rows of one query: name one, such as --query q5');
  const disorder = whole('disorder', values.disorder, { least: 1, most: 1_000_000 });
  if (disorder % disorderStep === 0) throw new UseError(`--disorder is no multiple of ${disorderStep}`);
  const checkpointEveryMs = parseDuration(values.checkpoint);
  if (checkpointEveryMs === undefined || checkpointEveryMs <= 0)
    throw new UseError(`--checkpoint is a time such as 10s, not "${values.checkpoint}"`);
  const rate = Number(values.rate);
  if (!(rate > 0 && rate <= 1e9)) throw new UseError(`--rate is a number of events a second, not "${values.rate}"`);
  const events = whole('events', values.events, { least: 1, most: 1e12 });
  const seed = whole('seed', values.seed, { least: 0, most: 0xffffffff });
  return {
    queries: wanted,
    options: { events, seed, rate, disorder, partitions, checkpointEveryMs },
    workers,
    log,
    rows: values.rows,
    json: values.json,
    check: values.check,
  };
}

/** `all`, one, or several with commas between. */
function queriesOf(text: string): readonly Query[] {
  if (text === 'all') return queries;
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('all')) throw new UseError('--query all stands by itself');
  const known = queries.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UseError(`there is no query "${unknown}": all, ${known.join(', ')}`);
  return queries.filter(({ name }) => names.includes(name));
}
