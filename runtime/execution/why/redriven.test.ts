/** Why a row is there that had been a dead letter before: of a source, of an operator, of the sink itself. */
import { describe, expect, it } from 'vitest';
import type { LogStream } from '../../bus/log.ts';
import { memoryLog } from '../../bus/memory/log.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, topologyNames } from '../../topology/names.ts';
import { readDeadLetterBook } from '../dead-letters/book.ts';
import { redriveDeadLetters } from '../dead-letters/redrive.ts';
import { openPast } from '../replay/past.ts';
import { explainRow } from './explain.ts';
import { findResult, parseResult } from './find-result.ts';
import { reportOf, type WhyReport } from './report.ts';

const names = topologyNames('lab');
const time = Date.UTC(2023, 2, 2);

const yaml = (checked: string) => `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  checked: { ${checked} }
  counted: { numbered: { from: checked } }
sinks:
  rows: { collect: { from: counted } }
  plain: { collect: { from: checked } }
  raw: { collect: { from: beats } }
`;
const broken = yaml('refuses: { from: beats }');
const mended = yaml('keep: { from: beats, min: 0 }');

const pulse = (id: string, value: number | null) => ({
  event: { id, hospital: 'H1', value, patient: 'Nguyễn Văn Thử' },
  time,
});

const logOf = (lab: Lab) => memoryLog({ clock: lab.clock, storage: lab.storage });

async function redriveAll(lab: Lab, process: LabProcess, topology: BoundTopology): Promise<string[]> {
  const log = logOf(lab);
  const deadLetters = (await log.find(names.deadLetterStream)) as LogStream;
  const input = (await log.find(names.inputStream(stageName(1)))) as LogStream;
  const { entries } = await lab.drive(readDeadLetterBook(deadLetters));
  const redriving = async () => {
    for await (const { problem } of redriveDeadLetters({
      entries,
      topology,
      names,
      deadLetters,
      input,
      clock: lab.clock,
    }))
      expect(problem).toBeNull();
  };
  await lab.drive(redriving());
  await lab.settle(process);
  return entries.map(({ id }) => id);
}

async function why(lab: Lab, topology: BoundTopology, result: string, ...conditions: string[]): Promise<WhyReport> {
  const log = logOf(lab);
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row, matched } = await findResult(log, topology, parseResult(topology, result, conditions));
    expect(matched).toBe(1);
    return reportOf(await explainRow({ past, topology }, row), { past, topology, reveal: false });
  };
  return lab.drive(work());
}

describe('why a row is there that was redriven', () => {
  it('after a sink had refused it: it is the row of the message that gave it first', async () => {
    let isFull = true;
    const lab = openLab({
      topology: broken,
      edges: {
        write: async (sink, rows) =>
          rows
            .filter(({ event }) => isFull && sink !== 'raw' && event.id === 'b')
            .map((row) => ({ row, code: 'MACH3102', reason: 'too large' })),
      },
    });
    const process = await lab.start();
    await lab.drive(process.source('beats').append({ origin: 'H1', events: [pulse('a', 1), pulse('b', 2)] }));
    await lab.settle(process);
    isFull = false;
    await redriveAll(lab, process, lab.topology);
    for (const result of ['rows', 'plain']) {
      const written = lab.sink(result).rows.findLast(({ event }) => event.id === 'b');
      const report = await why(lab, lab.topology, result, 'id=b');
      const { stage, partition, sequence, index } = report.result;
      // As the columns of the row say it.
      expect(written).toMatchObject({ stage, partition, sequence, index });
      expect(report.replay.verified).toBe(true);
      expect(report.messages.map(({ kind, place }) => [kind, place])).toContainEqual(['message', '1/1']);
      // Its source says of no event where it stood.
      expect(report.messages.map(({ sender_place: at }) => at)).toEqual(report.messages.map(() => null));
      const byPlace = await why(lab, lab.topology, `${result}/s1/0/${sequence}/${index}`);
      expect(byPlace.result).toEqual(report.result);
    }
  });

  it.each(['rows', 'plain', 'raw'])(
    'after its source could not decode it, in %s: with its own time, and the letter named',
    async (sink) => {
      const lab = openLab({ topology: broken });
      const process = await lab.start();
      const raw = Buffer.from(`b H1 2 ${time / 1_000}`);
      const deadLetters = [{ code: 'MACH9901', reason: 'not a pulse', raw, place: { line: 1 } }];
      await lab.drive(process.source('beats').append({ origin: 'H1', events: [], deadLetters }));
      await lab.settle(process);
      const [letter] = await redriveAll(lab, process, lab.topology);
      const report = await why(lab, lab.topology, sink, 'id=b');
      expect(report.replay.verified).toBe(true);
      expect(report.result.time).toBe('2023-03-02T00:00:00.000Z');
      expect(JSON.stringify(report)).not.toContain('1970-');
      expect(report.steps.at(-1)).toMatchObject({
        node: 'beats',
        message: '2/0',
        out: { time: '2023-03-02T00:00:00.000Z', event: { id: 'b' } },
      });
      expect(report.messages).toMatchObject([
        { kind: 'redrive', sender_place: { line: 1 }, note: `dead letter ${letter} of message 1, that went in again` },
      ]);
    },
  );

  it('after an operator had turned it away: with the event as it went in, what points at a person hidden', async () => {
    const lab = openLab({ topology: broken });
    const first = await lab.start();
    await lab.drive(first.source('beats').append({ origin: 'H1', events: [pulse('a', 1), pulse('b', null)] }));
    await lab.settle(first);
    await lab.drive(first.engine?.drain() as Promise<void>);
    const second = await lab.start({ topology: mended, acceptLoss: ['checked'] });
    await lab.drive(second.engine?.stage.checkpoint() as Promise<void>);
    const topology = lab.bind(mended);
    const [letter] = await redriveAll(lab, second, topology);
    for (const sink of ['rows', 'plain']) {
      const report = await why(lab, topology, sink, 'id=b');
      expect(report.replay.verified).toBe(true);
      expect(JSON.stringify(report)).not.toMatch(/1970-|Nguyễn/);
      expect(report.steps.at(-1)).toMatchObject({
        node: 'checked',
        definition: 'a dead letter',
        message: '2/0',
        out: { time: '2023-03-02T00:00:00.000Z', event: { id: 'b', patient: '•••' } },
      });
      expect(report.messages.map(({ note }) => note)).toContain(
        `dead letter ${letter} of message 1, that went in again`,
      );
    }
  });
});
