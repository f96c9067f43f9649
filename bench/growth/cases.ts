/** What is run for each thing that grows. */
import { fileURLToPath } from 'node:url';
import { topologyFile } from '../nexmark/queries.ts';
import type { StreamOptions } from '../nexmark/run-query.ts';
import type { Trial } from './trial.ts';
import type { Given, Subject } from './usage.ts';

export interface Case {
  readonly by: Subject;
  readonly series: string;
  readonly size: number;
  readonly trial: Trial;
}

const keysFile = fileURLToPath(new URL('keys.yaml', import.meta.url));
/** Longer than any run. */
const neverMs = 24 * 3_600_000;
const usualCheckpointMs = 10_000;
const windowMs = 10_000;
/** Keys of the runs by partitions. */
const someKeys = 10_000;
/** With fewer it is the stage itself that is measured, not its keys. */
const memoryKeysMin = 100_000;
/** Events for each key, so that nearly all of the keys come. */
const eventsPerKey = 4;

function stream(events: number): StreamOptions {
  return { events, seed: 42, rate: 10_000, disorder: 1 };
}

export function casesOf(subject: Subject, given: Given): readonly Case[] {
  const usual = {
    of: 'run',
    stream: stream(given.events),
    variables: {},
    partitions: 1,
    checkpointEveryMs: usualCheckpointMs,
    warmUpEvents: given.warmUpEvents,
  } as const;
  const counting = (keys: number) => ({ file: keysFile, variables: { GROWTH_KEYS: String(keys) } });
  switch (subject) {
    case 'keys':
      return [
        ...given.keys.map(
          (size): Case => ({
            by: 'keys',
            series: 'count by key',
            size,
            trial: { ...usual, ...counting(size), checkpointEveryMs: neverMs },
          }),
        ),
        ...given.keys
          .filter((size) => size >= memoryKeysMin)
          .map(
            (size): Case => ({
              by: 'keys',
              series: 'memory',
              size,
              trial: {
                ...usual,
                ...counting(size),
                of: 'memory',
                stream: stream(Math.max(given.events, eventsPerKey * size)),
              },
            }),
          ),
      ];
    case 'overlap':
      return given.overlaps.map((size) => ({
        by: 'overlap',
        series: 'q5',
        size,
        trial: { ...usual, file: topologyFile('q5'), variables: { NEXMARK_SLIDE: `${windowMs / size}ms` } },
      }));
    case 'partitions':
      return given.partitions.flatMap((size): Case[] => [
        { by: 'partitions', series: 'q0', size, trial: { ...usual, file: topologyFile('q0'), partitions: size } },
        {
          by: 'partitions',
          series: 'count by key',
          size,
          trial: { ...usual, ...counting(someKeys), partitions: size },
        },
      ]);
    case 'state':
      return given.keys.flatMap((size): Case[] => [
        {
          by: 'state',
          series: 'no checkpoint',
          size,
          trial: { ...usual, ...counting(size), checkpointEveryMs: neverMs },
        },
        {
          by: 'state',
          series: `a checkpoint each ${given.checkpointEveryMs / 1_000} s`,
          size,
          trial: { ...usual, ...counting(size), checkpointEveryMs: given.checkpointEveryMs },
        },
      ]);
    case 'events':
      return given.queries.flatMap((query) =>
        given.lengths.map(
          (size): Case => ({
            by: 'events',
            series: query,
            size,
            trial: { ...usual, file: topologyFile(query), stream: stream(size) },
          }),
        ),
      );
  }
}
