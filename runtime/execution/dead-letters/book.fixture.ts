/** The dead letters of a lab whose topology is named `lab`, and all of them going in again. */
import { expect } from 'vitest';
import type { LogStream } from '../../bus/log.ts';
import { memoryLog } from '../../bus/memory/log.ts';
import type { Lab, LabProcess } from '../../testing/engine-lab.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { readDeadLetterBook } from './book.ts';
import { redriveDeadLetters } from './redrive.ts';

const names = topologyNames('lab');

export const engineOf = (process: LabProcess) => process.engine as NonNullable<LabProcess['engine']>;

export async function bookOf(lab: Lab) {
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const deadLetters = (await log.find(names.deadLetterStream)) as LogStream;
  const input = (await log.find(names.inputStream('s1'))) as LogStream;
  return { book: await lab.drive(readDeadLetterBook(deadLetters)), streams: { deadLetters, input } };
}

/** `topology`: the file that whoever redrives them has. */
export async function redriveAll(lab: Lab, topology: BoundTopology): Promise<void> {
  const { book, streams } = await bookOf(lab);
  const args = { entries: book.entries, topology, names, clock: lab.clock, ...streams };
  const work = async () => {
    for await (const { problem } of redriveDeadLetters(args)) expect(problem).toBeNull();
  };
  await lab.drive(work(), 10);
}
