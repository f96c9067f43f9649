/** Brings a stage to where it had come: its newest checkpoint, and what of its outputs the log has. */

import type { CheckpointHead } from './checkpoint.ts';
import { headOf } from './checkpoint-head.ts';
import { executionErrors } from './errors.ts';
import type { ExchangePublisher } from './exchange/exchange-publisher.ts';
import type { LogBeginning } from './log-beginning.ts';
import type { OutputPublisher } from './output-publisher.ts';
import type { StageMachine } from './stage-machine.ts';
import type { StageArguments } from './stage-runner.ts';
import { adoptSnapshot, movedAway, refusedLosses, stateVerdicts } from './upgrade/adopt.ts';

/** Brings the machine to the newest checkpoint, or refuses what would lose something without a word. */
export async function restoreStage(
  machine: StageMachine,
  args: StageArguments & {
    stage: string;
    publishers: ReadonlyMap<string, OutputPublisher>;
    exchanges: ReadonlyMap<string, ExchangePublisher>;
  },
): Promise<{ sequence: number; readFrom: number }> {
  const { topology, stage, acceptLoss, beginning, logger, publishers, exchanges } = args;
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
  if (!checkpoint) return { sequence: 0, readFrom: first };
  const { head, snapshot } = checkpoint;
  const { partitions } = args.part.plan;
  if ((head.partitions ?? 1) !== partitions)
    throw executionErrors.make('MACH3212', { topology: topology.name, now: partitions, before: head.partitions ?? 1 });
  const refused = [
    ...refusedLosses(stateVerdicts(head, topology), acceptLoss),
    ...movedAway(head, snapshot, args.part).filter(({ node }) => !acceptLoss.has(node)),
  ];
  if (refused.length > 0) {
    const nodes = [...new Set(refused.map(({ node }) => node))].join(', ');
    const reasons = refused.map(({ node, reason }) => `${node}: ${reason}`).join('; ');
    throw executionErrors.make('MACH3205', { nodes, reasons });
  }
  // The state is all that is left of a log before.
  const [sequence, readFrom] = isOfThis ? [head.sequence, Math.max(head.readFrom ?? 1, first)] : [0, first];
  machine.restore({ ...adoptSnapshot(snapshot, head, topology), sequence });
  if (!isOfThis || head.hash !== topology.hash) {
    const place = { ...beginningHead(beginning), sequence, ...(args.part.stage !== 1 && { readFrom }) };
    const encoded = args.checkpoints.encode({
      head: { ...head, ...headOf(topology, args.part), ...place },
      snapshot: machine.snapshot(),
    });
    // Those of another log must not come up again once the new log is as long as the old one was. After a change of the topology
    // the checkpoint says at once whose it is: what comes after it is the work of this version.
    if (!isOfThis) await args.checkpoints.replaceAll(sequence, encoded);
    else await args.checkpoints.put(sequence, encoded);
  }
  logger.info({ stage, sequence, behind: lastSequence - sequence }, 'stage restored');
  return { sequence, readFrom };
}

/** What a checkpoint says of the beginning of the log that it is of. */
export function beginningHead({ number }: LogBeginning): Pick<CheckpointHead, 'beginning'> {
  return number > 0 ? { beginning: number } : {};
}
