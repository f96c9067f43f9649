/**
 * Redrives dead letters: each goes into the input log once, however often and by however many people it is asked for. A letter has a
 * subject of its own there, and the log takes the first message of a subject from one alone; so it needs no memory of who did what, and
 * may be broken off anywhere. What it gives is handled by the stage like anything else of the log, after a crash and in a replay too.
 */
import type { LogStream } from '../../bus/log.ts';
import type { Clock } from '../../clock.ts';
import { MachError } from '../../errors.ts';
import { type CrashPoints, noCrashPoints } from '../../faults.ts';
import { limits } from '../../limits.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, type TopologyNames } from '../../topology/names.ts';
import { encodeRedriveFrame } from '../log-frame.ts';
import { type DeadLetterEntry, type RawReader, rawReader } from './book.ts';
import { prepareRedrive } from './prepare.ts';

export interface RedriveResult {
  readonly entry: DeadLetterEntry;
  /** `redriven`: it is in the log (a dry run: would be). `before`: it had been already. `left`: it cannot go in; it stays as it is. */
  readonly outcome: 'redriven' | 'before' | 'left';
  /** Events that it gives now. */
  readonly events: number;
  /** Why it cannot go in, or why a part of it still cannot be decoded. */
  readonly problem: string | null;
}

export interface RedriveOptions {
  readonly entries: readonly DeadLetterEntry[];
  readonly topology: BoundTopology;
  readonly names: TopologyNames;
  readonly deadLetters: LogStream;
  readonly input: LogStream;
  readonly clock: Clock;
  readonly dryRun?: boolean;
  /** Letters a second (default `limits.redrivesPerSecond`), so that what comes from outside keeps its pace. */
  readonly perSecond?: number;
  /** Another version of the topology was started last: its operators and sinks are not those that were mended. */
  readonly isOtherVersion?: boolean;
  readonly crashPoints?: CrashPoints;
  readonly signal?: AbortSignal;
}

/** Where a letter goes in: a subject of its own among those of its node. */
export function redriveSubject(names: TopologyNames, { node, id }: Pick<DeadLetterEntry, 'node' | 'id'>): string {
  return names.inputSubject(stageName(1), { node, port: `redrive-${id}` }, 0);
}

/** Whether a letter is in the input log again. */
export async function isRedriven(
  input: LogStream,
  names: TopologyNames,
  letter: Pick<DeadLetterEntry, 'node' | 'id'>,
): Promise<boolean> {
  return (await input.last(redriveSubject(names, letter))) !== undefined;
}

/** In the order of the letters, some at a time. Rejects when the log does; what had gone in by then stays in, once. */
export async function* redriveDeadLetters(options: RedriveOptions): AsyncGenerator<RedriveResult> {
  const { entries, clock, signal, perSecond = limits.redrivesPerSecond } = options;
  const readRaw = rawReader(options.deadLetters);
  const size = Math.max(1, Math.min(limits.redriveBatchLetters, Math.ceil(perSecond / 10)));
  for (let at = 0; at < entries.length; at += size) {
    if (signal?.aborted) return;
    const began = clock.now();
    const batch = entries.slice(at, at + size);
    const ready = await Promise.all(batch.map((entry) => makeReady(entry, readRaw, options)));
    // All begun in one turn: so they stand in the log in the order of the letters.
    yield* await Promise.all(ready.map(async (one) => ('frame' in one ? appendOnce(one, options) : one)));
    const early = began + (batch.length * 1_000) / perSecond - clock.now();
    if (early > 0 && at + size < entries.length && !options.dryRun)
      await clock.sleep(early, signal).catch(() => undefined);
  }
}

interface Ready {
  readonly entry: DeadLetterEntry;
  readonly frame: Uint8Array;
  readonly gives: Pick<RedriveResult, 'events' | 'problem'>;
}

async function makeReady(
  entry: DeadLetterEntry,
  readRaw: RawReader,
  { names, input, topology, clock, isOtherVersion = false }: RedriveOptions,
): Promise<Ready | RedriveResult> {
  const left = (problem: string): RedriveResult => ({ entry, outcome: 'left', events: 0, problem });
  if (await isRedriven(input, names, entry)) return { entry, outcome: 'before', events: 0, problem: null };
  if (isOtherVersion && entry.kind !== 'decode') {
    return left('another version of the topology was started last, and would handle it; start this one first');
  }
  const raw = await readRaw(entry);
  if (!raw) return left('it is no longer in the log');
  const prepared = await prepareRedrive(entry, raw, topology, clock.now());
  if ('problem' in prepared) return left(prepared.problem);
  const frame = encodeRedriveFrame(prepared.frame);
  // As of what sources accept: what comes of it has room, also on the way to a later stage.
  const bytesMax = Math.min(limits.rowBytesMax, input.messageBytesMax);
  if (frame.length > bytesMax) {
    return left(`it takes ${frame.length} bytes, and a message of the log may have ${bytesMax}`);
  }
  return { entry, frame, gives: { events: prepared.events, problem: prepared.still[0] ?? null } };
}

async function appendOnce({ entry, frame, gives }: Ready, options: RedriveOptions): Promise<RedriveResult> {
  const { names, input, crashPoints = noCrashPoints } = options;
  if (options.dryRun) return { entry, outcome: 'redriven', ...gives };
  crashPoints.at('redrive.before-append');
  try {
    const appendOptions = { id: `redrive/${entry.id}`, expectedLastSubjectSequence: 0 };
    const { duplicate } = await input.append(redriveSubject(names, entry), frame, appendOptions);
    crashPoints.at('redrive.after-append');
    return { entry, outcome: duplicate ? 'before' : 'redriven', ...gives };
  } catch (error) {
    // Somebody else was first.
    if (error instanceof MachError && error.code === 'MACH3001') return { entry, outcome: 'before', ...gives };
    throw error;
  }
}
