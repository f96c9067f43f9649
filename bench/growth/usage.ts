/** The command line of `growth`. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { limits } from '../../runtime/limits.ts';
import { durationMs, oneOf, UseError, whole } from '../arguments.ts';
import { queries } from '../nexmark/queries.ts';

export const subjects = ['keys', 'overlap', 'partitions', 'state', 'events'] as const;
export type Subject = (typeof subjects)[number];

export interface Given {
  readonly by: readonly Subject[];
  /** Of each run, but those by events. */
  readonly events: number;
  readonly warmUpEvents: number;
  readonly keys: readonly number[];
  readonly overlaps: readonly number[];
  readonly partitions: readonly number[];
  readonly lengths: readonly number[];
  readonly queries: readonly string[];
  readonly checkpointEveryMs: number;
  readonly runs: number;
  readonly results: string;
  readonly json: string | undefined;
}

export const usage = `npm run bench -- growth [options]

  --by keys,overlap,partitions,state,events   what grows; all of them when absent
  --keys 1000,10000,100000,1000000   keys of a counting window (keys, state)
  --overlaps 1,2,5,10,20,50,100      windows that an event of q5 falls into: 10 s over the slide (overlap)
  --partitions 1,2,4,8               in one process (partitions)
  --lengths 2000000,20000000         events of the stream (events)
  --query q2,q5,q8,q11               queries whose state is bounded (events)
  --events 2000000                   events of each of the other runs
  --warm-up 4000000                  events of a run before the measured one, in the same process
  --checkpoint 1s                    time between checkpoints where there are any (state)
  --runs 5                           of each size, in turns
  --results FOLDER                   growth.jsonl (appended), growth.md and a plot for each (bench/results/local)
  --json FILE                        all figures
`;

/** Options that mean nothing to the others. */
const subjectsOf: Readonly<Record<string, readonly Subject[]>> = {
  keys: ['keys', 'state'],
  overlaps: ['overlap'],
  partitions: ['partitions'],
  lengths: ['events'],
  query: ['events'],
  events: ['keys', 'overlap', 'partitions', 'state'],
  checkpoint: ['state'],
};

const eventsMax = 100_000_000;
const windowMs = 10_000;

/** Undefined: help is wanted. */
export function readArguments(args: readonly string[]): Given | undefined {
  const { values, tokens } = parseArgs({
    args: [...args],
    tokens: true,
    options: {
      by: { type: 'string', default: subjects.join(',') },
      keys: { type: 'string', default: '1000,10000,100000,1000000' },
      overlaps: { type: 'string', default: '1,2,5,10,20,50,100' },
      partitions: { type: 'string', default: '1,2,4,8' },
      lengths: { type: 'string', default: '2000000,20000000' },
      query: { type: 'string', default: 'q2,q5,q8,q11' },
      events: { type: 'string', default: '2000000' },
      'warm-up': { type: 'string', default: '4000000' },
      checkpoint: { type: 'string', default: '1s' },
      runs: { type: 'string', default: '5' },
      results: { type: 'string', default: fileURLToPath(new URL('../results/local', import.meta.url)) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const by = values.by.split(',').map((subject) => oneOf('by', subject, subjects));
  for (const token of tokens) if (token.kind === 'option') refuseUnused(token.name, by);
  const names = queries.map(({ name }) => name);
  const overlaps = sizes('overlaps', values.overlaps, { least: 1, most: windowMs });
  const uneven = overlaps.find((overlap) => windowMs % overlap !== 0);
  if (uneven !== undefined) throw new UseError(`--overlaps ${uneven} does not cut ${windowMs} ms into whole slides`);
  return {
    by,
    events: whole('events', values.events, { least: 1, most: eventsMax }),
    warmUpEvents: whole('warm-up', values['warm-up'], { least: 0, most: eventsMax }),
    keys: sizes('keys', values.keys, { least: 1, most: limits.stateKeysMax }),
    overlaps,
    partitions: sizes('partitions', values.partitions, { least: 1, most: limits.partitionsMax }),
    lengths: sizes('lengths', values.lengths, { least: 1, most: eventsMax }),
    queries: values.query.split(',').map((query) => oneOf('query', query, names)),
    checkpointEveryMs: durationMs('checkpoint', values.checkpoint, { least: 1, most: 3_600_000 }),
    runs: whole('runs', values.runs, { least: 1, most: 1_000 }),
    results: values.results,
    json: values.json,
  };
}

/** Who gives an option thinks that it counts. */
function refuseUnused(option: string, by: readonly Subject[]): void {
  const uses = subjectsOf[option];
  if (!uses || by.some((subject) => uses.includes(subject))) return;
  throw new UseError(`--${option} means something by ${uses.join(', ')}, not by ${by.join(', ')}`);
}

/** Two at least: growth is between them. */
function sizes(name: string, text: string, bounds: { least: number; most: number }): readonly number[] {
  const found = text.split(',').map((one) => whole(name, one, bounds));
  if (found.length < 2) throw new UseError(`--${name} are two sizes at least, not "${text}"`);
  if (found.some((size, at) => at > 0 && size <= (found[at - 1] as number)))
    throw new UseError(`--${name} are sizes from small to large, not "${text}"`);
  return found;
}
