/** What the commands of dead letters have in common: the topology, its streams, and which letters are meant. */
import type { LogStream, ObjectStore } from '../../bus/log.ts';
import {
  type DeadLetterBook,
  type DeadLetterEntry,
  type DeadLetterFilter,
  readDeadLetterBook,
} from '../../execution/dead-letters/book.ts';
import { startedLast } from '../../execution/upgrade/versions.ts';
import { readTime, takesTime } from '../../read-time.ts';
import { parseDuration } from '../../stream/options.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, type TopologyNames, topologyNames } from '../../topology/names.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { reachLog } from '../reach-log.ts';

export interface FilterFlags {
  readonly node?: string;
  readonly code?: string;
  readonly since?: string;
}

export interface OpenDeadLetters {
  readonly topology: BoundTopology;
  readonly names: TopologyNames;
  /** Undefined where the topology has never run. */
  readonly deadLetters: LogStream | undefined;
  readonly input: LogStream | undefined;
  /** Checkpoints and versions. */
  readonly objects: ObjectStore | undefined;
  /** Another version than the file was started last. */
  readonly isOtherVersion: boolean;
  /** No engine runs on the folder: what is redriven is handled when one starts. */
  readonly isQuiet: boolean;
  book(filter?: DeadLetterFilter): Promise<DeadLetterBook>;
}

/** Runs `work` with the streams of a topology, and leaves everything as it was afterwards. */
export async function withDeadLetters<T>(
  file: string,
  { data }: { data: string },
  context: CommandContext,
  work: (open: OpenDeadLetters) => Promise<T>,
): Promise<T> {
  const topology = await context.loadTopology(file);
  const names = topologyNames(topology.name);
  const reached = await reachLog({ directory: data, env: context.env });
  try {
    const [deadLetters, input] = await Promise.all([
      reached.log.find(names.deadLetterStream),
      reached.log.find(names.inputStream(stageName(1))),
    ]);
    const objects = deadLetters && (await reached.log.objects(names.checkpointBucket));
    const started = objects && (await startedLast(objects));
    const isOtherVersion = started !== undefined && started !== topology.hash;
    const book = (filter?: DeadLetterFilter) => readDeadLetterBook(deadLetters, filter);
    return await work({ topology, names, deadLetters, input, objects, isOtherVersion, isQuiet: reached.isOwn, book });
  } finally {
    await reached.close();
  }
}

export function filterOf({ node, code, since }: FilterFlags): DeadLetterFilter {
  return {
    ...(node === undefined ? {} : { node }),
    ...(code === undefined ? {} : { code: code.toUpperCase() }),
    ...(since === undefined ? {} : { since: timeOf(since) }),
  };
}

/** Throws MACH1620 for a node that neither the topology nor any of its letters knows. */
export function refuseUnknownNode(node: string | undefined, topology: BoundTopology, book: DeadLetterBook): void {
  if (node === undefined || book.entries.length > 0) return;
  const { sources, operators, sinks } = topology;
  if ([...sources, ...operators, ...sinks].some(({ id }) => id === node)) return;
  throw cliErrors.make('MACH1620', { option: '--node', value: node, takes: 'the name of a node of the topology' });
}

/** `30m` ago, or a time. */
function timeOf(since: string): number {
  const durationMs = parseDuration(since);
  const time = durationMs === undefined ? readTime(since) : Date.now() - durationMs;
  if (time === null)
    throw cliErrors.make('MACH1620', {
      option: '--since',
      value: since,
      takes: `a duration, such as 30m, or ${takesTime}`,
    });
  return time;
}

export function countOf(option: string, value: string | undefined, absent: number): number {
  if (value === undefined) return absent;
  if (!/^[1-9]\d{0,8}$/.test(value))
    throw cliErrors.make('MACH1620', { option, value, takes: 'a whole number from 1 on' });
  return Number(value);
}

const idLengthMin = 4;

/** The letter that the beginning of an id means. Throws MACH1631. */
export function findEntry(entries: readonly DeadLetterEntry[], id: string): DeadLetterEntry {
  const wrong = (reason: string) => cliErrors.make('MACH1631', { id, reason });
  if (!/^[0-9a-f]+$/.test(id)) throw wrong('an id has the digits 0 to 9 and the letters a to f');
  if (id.length < idLengthMin) throw wrong(`${idLengthMin} characters are needed`);
  const found = entries.filter((entry) => entry.id.startsWith(id));
  const [first] = found;
  if (first && found.length === 1) return first;
  throw wrong(first ? `${found.length} begin so` : 'there is none that begins so');
}
