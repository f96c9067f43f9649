/** The mark of a change: one message of the input log, the same for every partition. */
import type { LogStream } from '../../bus/log.ts';
import type { TopologyNames } from '../../topology/names.ts';
import type { EngineOptions, Mark } from '../engine-contract.ts';
import { encodeVersionFrame } from '../log-frame.ts';
import { firstStage, inputPartition, versionNode } from '../streams.ts';

export async function appendMark(input: LogStream, names: TopologyNames, id: string): Promise<Mark> {
  const subject = names.inputSubject(firstStage, { node: versionNode, port: 'mark' }, inputPartition);
  const { sequence } = await input.append(subject, encodeVersionFrame({ id }), { id: `mark/${id}` });
  return { id, sequence };
}

/** Stages stand still at the mark of this change, and pass by those of others. */
export const atMark =
  (id: string): NonNullable<EngineOptions['onMark']> =>
  (mark) =>
    mark.id === id ? new Promise(() => {}) : Promise.resolve();
