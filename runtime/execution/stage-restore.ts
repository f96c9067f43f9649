/** Brings a stage to where it had come: its newest checkpoint, and what of its outputs the log has. */

import { limits } from '../limits.ts';
import type { CheckpointHead } from './checkpoint.ts';
import { headOf } from './checkpoint-head.ts';
import { executionErrors } from './errors.ts';
import type { ExchangePublisher } from './exchange/exchange-publisher.ts';
import type { LogBeginning } from './log-beginning.ts';
import type { OutputPublisher } from './output-publisher.ts';
import type { StageMachine } from './stage-machine.ts';
import type { StageArguments } from './stage-runner.ts';
import { adoptSnapshot, movedAway, refusedLosses, stateVerdicts, waitsApart } from './upgrade/adopt.ts';

export interface Restored {
  readonly sequence: number;
  readonly readFrom: number;
  /** Writes down whose the state is from now on. Before the first message, and where the start is held not before it is let go. */
  settle(): Promise<void>;
}

const nothing = async () => undefined;

/** Brings the machine to the newest checkpoint, or refuses what would lose something without a word. */
export async function restoreStage(
  machine: StageMachine,
  args: StageArguments & {
    stage: string;
    publishers: ReadonlyMap<string, OutputPublisher>;
    exchanges: ReadonlyMap<string, ExchangePublisher>;
  },
): Promise<Restored> {
  const { topology, stage, acceptLoss, beginning, cutAt, cutStages, logger, publishers, exchanges } = args;
  const checkpoint = await args.checkpoints.load();
  const { lastSequence } = await args.streams.input.state();
  const isOfThis = checkpoint && (checkpoint.head.beginning ?? 0) === beginning.number;
  const made = Math.max(
    isOfThis ? checkpoint.head.sequence : 0,
    ...[...publishers.values(), ...exchanges.values()].map((publisher) => publisher.knownSequence),
  );
  // It was looked at when the engine started; a log that was cut short since is found here.
  if (made > lastSequence) throw executionErrors.make('MACH3207', { stage, last: lastSequence, sequence: made });
  const first = beginning.exchanged + 1;
  const isCut = cutAt !== undefined && (cutStages?.includes(stage) ?? true);
  if (isCut && checkpoint?.head.cutAt !== cutAt && !acceptLoss.has('log'))
    throw executionErrors.make('MACH3214', { stage, partition: args.part.partition, cutAt });
  if (!checkpoint) return { sequence: 0, readFrom: first, settle: nothing };
  const { head, snapshot } = checkpoint;
  const { partitions } = args.part.plan;
  if ((head.partitions ?? 1) !== partitions)
    throw executionErrors.make('MACH3212', { topology: topology.name, now: partitions, before: head.partitions ?? 1 });
  // A number that divides the number of groups gives the same partitions either way.
  if (partitions > 1 && head.keyGroups !== limits.keyGroups && limits.keyGroups % partitions !== 0)
    throw executionErrors.make('MACH3228', { topology: topology.name, partitions });
  const refused = [
    ...refusedLosses(stateVerdicts(head, topology), acceptLoss),
    ...[...movedAway(head, snapshot, args.part), ...waitsApart(snapshot, topology, args.part)].filter(
      ({ node }) => !acceptLoss.has(node),
    ),
  ];
  if (refused.length > 0) {
    const nodes = [...new Set(refused.map(({ node }) => node))].join(', ');
    const reasons = refused.map(({ node, reason }) => `${node}: ${reason}`).join('; ');
    throw executionErrors.make('MACH3205', { nodes, reasons });
  }
  // The state is all that is left of a log before.
  const [sequence, readFrom] = isOfThis ? [head.sequence, Math.max(head.readFrom ?? 1, first)] : [0, first];
  machine.restore({ ...adoptSnapshot(snapshot, head, topology), sequence });
  const settle = async () => {
    if (isOfThis && head.hash === topology.hash) return;
    const place = {
      ...beginningHead(beginning),
      ...(cutAt !== undefined && { cutAt }),
      ...(args.part.stage !== 1 && { readFrom }),
      sequence,
    };
    const encoded = args.checkpoints.encode({
      head: { ...head, ...headOf(topology, args.part), ...place },
      snapshot: machine.snapshot(),
    });
    // Those of another log must not come up again once the new log is as long as the old one was. After a change of the topology
    // the checkpoint says at once whose it is: what comes after it is the work of this version.
    if (!isOfThis) await args.checkpoints.replaceAll(sequence, encoded);
    else await args.checkpoints.put(sequence, encoded);
  };
  // The version before may still go on from what it has left.
  if (!args.held) await settle();
  logger.info({ stage, sequence, behind: lastSequence - sequence }, 'stage restored');
  return { sequence, readFrom, settle: args.held ? settle : nothing };
}

/** What a checkpoint says of the beginning of the log that it is of. */
export function beginningHead({ number }: LogBeginning): Pick<CheckpointHead, 'beginning'> {
  return number > 0 ? { beginning: number } : {};
}
