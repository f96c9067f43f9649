/** The command line of `latency`. */
import { parseArgs } from 'node:util';
import { durationMs, oneOf, UseError, whole } from '../arguments.ts';
import { type LogKind, logKinds } from '../nexmark/logs.ts';
import { type Query, queries } from '../nexmark/queries.ts';

export interface Given {
  readonly query: Query;
  readonly rate: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly log: LogKind;
  readonly checkpointEveryMs: number;
  readonly seed: number;
  readonly json: string | undefined;
}

export const usage = `npm run bench -- latency [options]

  --query q0          a query of Nexmark, but q10 (its rows are files) and q12 (its windows hang on the clock)
  --rate 10000        events a second, of event time and of the clock
  --for 60s           how long latency is measured
  --warm-up 5s        traffic of the same kind before it
  --log memory        or jetstream: a nats-server of its own, which syncs as in \`mach run\`
  --checkpoint 10s    time between checkpoints
  --seed 42           of the stream
  --json FILE         all figures
`;

const withoutMoment: Readonly<Record<string, string>> = {
  q10: 'its rows are files',
  q12: 'its windows hang on the clock',
};

/** Events of one run: all rows are kept. */
const eventsMax = 20_000_000;

/** Undefined: help is wanted. */
export function readArguments(args: readonly string[]): Given | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      query: { type: 'string', default: 'q0' },
      rate: { type: 'string', default: '10000' },
      for: { type: 'string', default: '60s' },
      'warm-up': { type: 'string', default: '5s' },
      log: { type: 'string', default: 'memory' },
      checkpoint: { type: 'string', default: '10s' },
      seed: { type: 'string', default: '42' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const measurable = queries.filter(({ name }) => withoutMoment[name] === undefined);
  const reason = withoutMoment[values.query];
  if (reason !== undefined)
    throw new UseError(`the rows of ${values.query} have no moment to be measured from: ${reason}`);
  const query = measurable.find(({ name }) => name === values.query);
  if (!query)
    throw new UseError(`there is no query "${values.query}": ${measurable.map(({ name }) => name).join(', ')}`);
  const given: Given = {
    query,
    rate: whole('rate', values.rate, { least: 1, most: 1_000_000 }),
    durationMs: durationMs('for', values.for, { least: 1, most: 3_600_000 }),
    warmUpMs: durationMs('warm-up', values['warm-up'], { least: 0, most: 3_600_000 }),
    log: oneOf('log', values.log, logKinds),
    checkpointEveryMs: durationMs('checkpoint', values.checkpoint, { least: 1, most: 3_600_000 }),
    seed: whole('seed', values.seed, { least: 0, most: 0xffffffff }),
    json: values.json,
  };
  const events = (given.rate * (given.durationMs + given.warmUpMs)) / 1_000;
  if (events > eventsMax)
    throw new UseError(`--rate and --for make ${events} events, and all of them are kept: at most ${eventsMax}`);
  return given;
}
