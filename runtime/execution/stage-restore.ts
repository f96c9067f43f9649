/** Brings a stage to where it had come: its newest checkpoint, and what of its outputs the log has. */

import { limits } from '../limits.ts';
import { headOf } from './checkpoint-head.ts';
import { executionErrors } from './errors.ts';
import type { ExchangePublisher } from './exchange/exchange-publisher.ts';
import type { OutputPublisher } from './output-publisher.ts';
import type { StageMachine } from './stage-machine.ts';
import type { StageArguments } from './stage-runner.ts';
import { adoptSnapshot, movedAway, refusedLosses, stateVerdicts } from './upgrade/adopt.ts';

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
  const { topology, stage, acceptLoss, logger, publishers, exchanges } = args;
  const checkpoint = await args.checkpoints.load();
  const { lastSequence } = await args.streams.input.state();
  const made = Math.max(
    checkpoint?.head.sequence ?? 0,
    ...[...publishers.values(), ...exchanges.values()].map((publisher) => publisher.knownSequence),
  );
  const isAnotherLog = made > lastSequence;
  if (isAnotherLog && !acceptLoss.has('log')) {
    throw executionErrors.make('MACH3207', { stage, last: lastSequence, sequence: made });
  }
  if (isAnotherLog) for (const publisher of [...publishers.values(), ...exchanges.values()]) publisher.forgetKnown();
  // What the old log caused must not be taken for what the new one will cause.
  const exchanged = isAnotherLog ? ((await args.streams.exchange?.state())?.lastSequence ?? 0) : 0;
  const { cutAt } = args;
  if (cutAt !== undefined && checkpoint?.head.cutAt !== cutAt && !acceptLoss.has('log'))
    throw executionErrors.make('MACH3214', { stage, partition: args.part.partition, cutAt });
  if (!checkpoint) return { sequence: 0, readFrom: exchanged + 1, settle: nothing };
  const { head, snapshot } = checkpoint;
  const { partitions } = args.part.plan;
  if ((head.partitions ?? 1) !== partitions)
    throw executionErrors.make('MACH3212', { topology: topology.name, now: partitions, before: head.partitions ?? 1 });
  // A number that divides the number of groups gives the same partitions either way.
  if (partitions > 1 && head.keyGroups !== limits.keyGroups && limits.keyGroups % partitions !== 0)
    throw executionErrors.make('MACH3218', { topology: topology.name, partitions });
  const refused = [
    ...refusedLosses(stateVerdicts(head, topology), acceptLoss),
    ...movedAway(head, snapshot, args.part).filter(({ node }) => !acceptLoss.has(node)),
  ];
  if (refused.length > 0) {
    const nodes = [...new Set(refused.map(({ node }) => node))].join(', ');
    const reasons = refused.map(({ node, reason }) => `${node}: ${reason}`).join('; ');
    throw executionErrors.make('MACH3205', { nodes, reasons });
  }
  const sequence = isAnotherLog ? 0 : head.sequence;
  machine.restore({ ...adoptSnapshot(snapshot, head, topology), sequence });
  const settle = async () => {
    if (!isAnotherLog && head.hash === topology.hash) return;
    const encoded = args.checkpoints.encode({
      head: {
        ...head,
        ...headOf(topology, args.part),
        ...(cutAt !== undefined && { cutAt }),
        sequence,
        ...(exchanged > 0 && { readFrom: exchanged + 1 }),
      },
      snapshot: machine.snapshot(),
    });
    // Those of another log must not come up again once the new log is as long as the old one was. After a change of the topology
    // the checkpoint says at once whose it is: what comes after it is the work of this version.
    if (isAnotherLog) await args.checkpoints.replaceAll(sequence, encoded);
    else await args.checkpoints.put(sequence, encoded);
  };
  // The version before may still go on from what it has left.
  if (!args.held) await settle();
  logger.info({ stage, sequence, behind: lastSequence - sequence }, 'stage restored');
  return {
    sequence,
    readFrom: isAnotherLog ? exchanged + 1 : (head.readFrom ?? 1),
    settle: args.held ? settle : nothing,
  };
}
