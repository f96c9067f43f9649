/**
 * How often the input log has begun anew: after each loss of it that was accepted. Input sequences start again at 1 then, so what was made of
 * the log before (checkpoints, places of rows, how far lanes have come) means nothing for the new one. Everything says of which beginning it
 * is, and the newest stands in the log, written once before any partition opens: whichever worker opens whichever partition, and when, all
 * agree on what counts.
 */
import type { LogMessage, LogStream, ObjectStore } from '../bus/log.ts';
import { isUnanswered } from '../bus/unanswered.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { stageName, type TopologyNames } from '../topology/names.ts';
import type { SpreadPlan } from '../topology/spread.ts';
import { decodeCheckpoint, listCheckpoints } from './checkpoint.ts';
import { executionErrors } from './errors.ts';
import { progressOf } from './exchange/exchange-frame.ts';
import { isFenced } from './fenced.ts';
import { lastPlaceOf } from './log-frame.ts';
import { accountsStage, laneSubject, lanesOutOf, partsOf, writesTo } from './stage-part.ts';
import { firstStage, inputPartition, type Streams } from './streams.ts';

export interface LogBeginning {
  /** 0: the log has never been lost. */
  readonly number: number;
  /** Position in what stages pass to each other up to which all is of beginnings before. */
  readonly exchanged: number;
}

const original: LogBeginning = { number: 0, exchanged: 0 };

/** What the log, or a checkpoint, says that has been handled. */
interface Made {
  readonly stage: string;
  readonly beginning: number;
  readonly sequence: number;
}

const subjectOf = (names: TopologyNames) => names.sinkSubject('_beginning', firstStage, inputPartition);

export async function readBeginning(promises: LogStream | undefined, names: TopologyNames): Promise<LogBeginning> {
  return beginningIn(await promises?.last(subjectOf(names)));
}

function beginningIn(message: LogMessage | undefined): LogBeginning {
  return message ? (JSON.parse(Buffer.from(message.payload).toString()) as LogBeginning) : original;
}

/**
 * The beginning that counts. Where more was made of it than the log has, the log is another one: then the next beginning is written, or it is
 * refused with MACH3207 where nobody has accepted the loss.
 */
export async function settleBeginning(args: {
  readonly topology: BoundTopology;
  readonly plan: SpreadPlan;
  readonly names: TopologyNames;
  readonly streams: Streams;
  readonly objects: ObjectStore;
  readonly acceptsLoss: boolean;
  readonly logger: Logger;
}): Promise<LogBeginning> {
  const { names, streams, logger } = args;
  for (;;) {
    const newest = await streams.promises.last(subjectOf(names));
    const beginning = beginningIn(newest);
    const made = await madeSince(beginning.number, args);
    if (!made) return beginning;
    const { lastSequence: last } = await streams.input.state();
    if (!args.acceptsLoss) throw executionErrors.make('MACH3207', { stage: made.stage, last, sequence: made.sequence });
    const exchanged = (await streams.exchange?.state())?.lastSequence ?? 0;
    const next: LogBeginning = { number: Math.max(made.beginning, beginning.number) + 1, exchanged };
    try {
      await streams.promises.append(subjectOf(names), Buffer.from(JSON.stringify(next)), {
        expectedLastSubjectSequence: newest?.sequence ?? 0,
      });
      logger.warn(
        { last, made: made.sequence },
        'the log is another one: what was made of the one before is set aside',
      );
    } catch (error) {
      // Another worker was faster: what it has written holds.
      if (!isFenced(error)) throw error;
    }
  }
}

/** The furthest of what was made of this beginning, or of a later one that its log knows nothing of; undefined where the log has all of it. */
async function madeSince(beginning: number, args: Parameters<typeof settleBeginning>[0]): Promise<Made | undefined> {
  const made = await newestPlaces(args);
  const checkpoints = (await listCheckpoints(args.objects)).filter(({ kind }) => kind === 'kept');
  // Looked at last: in a log that lives, what is made of it is never ahead of it.
  const { lastSequence } = await args.streams.input.state();
  for (const { name, stage, sequence } of checkpoints) {
    if (sequence <= lastSequence) continue;
    const head = await headOfCheckpoint(name, args.objects);
    if (head) made.push({ stage, beginning: head.beginning ?? 0, sequence });
  }
  return made
    .filter((one) => one.beginning > beginning || (one.beginning === beginning && one.sequence > lastSequence))
    .sort((one, other) => other.beginning - one.beginning || other.sequence - one.sequence)[0];
}

async function headOfCheckpoint(name: string, objects: ObjectStore) {
  try {
    const data = await objects.get(name);
    return data && decodeCheckpoint(name, data).head;
  } catch (error) {
    if (isUnanswered(error)) throw error;
    // A damaged one is passed over, here as where a stage is restored.
    return undefined;
  }
}

/** Of every output and lane of every partition: the place of its newest row. */
async function newestPlaces({
  topology,
  plan,
  names,
  streams,
}: Pick<Parameters<typeof settleBeginning>[0], 'topology' | 'plan' | 'names' | 'streams'>): Promise<Made[]> {
  const made: Made[] = [];
  for (const part of partsOf(plan)) {
    if (part.stage === accountsStage) continue;
    const stage = stageName(part.stage);
    const outputs = topology.sinks.filter(({ id }) => writesTo(part, id)).map(({ id }) => id);
    const newest = await Promise.all([
      ...outputs.map((id) => streams.outputOf(stage).last(names.outputSubject(stage, id, part.partition))),
      streams.deadLetters.last(names.deadLetterSubject(`${stage}-${part.partition}`)),
    ]);
    for (const message of newest) {
      const place = message && lastPlaceOf(message.payload);
      if (place) made.push({ stage, ...place });
    }
    const lanes = lanesOutOf(part).map((to) => streams.exchange?.last(laneSubject(names, part, to)));
    for (const message of await Promise.all(lanes)) {
      if (!message) continue;
      const { beginning, through, last } = progressOf(message.payload);
      made.push({ stage, beginning, sequence: Math.max(through, last?.sequence ?? 0) });
    }
  }
  return made;
}
