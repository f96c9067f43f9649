/** Messages of a source that the topology has no more, where somebody has accepted to lose them. */
import { expect, it } from 'vitest';
import { isBalanced } from '../stream/ledger.ts';
import { openLab } from '../testing/engine-lab.ts';
import { spreadTopology } from '../topology/spread.ts';
import type { SourceFrame } from './log-frame.ts';
import { rowByRow } from './output-run.ts';
import { StageMachine } from './stage-machine.ts';
import { deadLetterOutput } from './stage-outputs.ts';

const topology = `
version: 1
name: lab
sources: { beds: { pulses: {} } }
operators: { sums: { totals: { from: beds, every: 10s } } }
sinks: { rows: { collect: { from: sums } } }
`;

const frame: SourceFrame = {
  kind: 'source',
  acceptedAt: 7,
  segments: [{ origin: 'H', events: 2, letters: 1 }],
  deadLetters: [{ code: 'MACH9901', reason: 'not a pulse', raw: 'bm9uZQ==', place: { line: 3 } }],
  events: [{}, {}],
  times: [1, 2],
};

function handled(partitions: number, partition: number) {
  const bound = openLab({ topology }).bind(topology);
  const letters: unknown[] = [];
  const rows = rowByRow((output, row) => void (output === deadLetterOutput && letters.push(row)));
  const part = { plan: spreadTopology(bound, partitions), stage: 1, partition };
  const machine = new StageMachine(bound, { rows, question: () => undefined }, part);
  machine.handle(5, 'ambulances', frame);
  machine.handle(6, 'ambulances', { kind: 'silence', idle: [], closed: ['H'] });
  return { letters, accounting: machine.accounting };
}

it('are counted as dropped; what could not be decoded is a dead letter as ever', () => {
  const { letters, accounting } = handled(1, 0);
  expect(accounting).toMatchObject({ in: 3, dropped: 2, dead_lettered: 1, dropped_by_reason: { 'source removed': 2 } });
  expect(isBalanced(accounting)).toBe(true);
  expect(letters).toEqual([
    expect.objectContaining({
      sequence: 5,
      index: 0,
      time: 7,
      event: expect.objectContaining({ kind: 'decode', node: 'ambulances', code: 'MACH9901', place: { line: 3 } }),
    }),
  ]);
});

it('are told by one of several partitions alone', () => {
  expect([0, 1].map((partition) => handled(2, partition).letters.length)).toEqual([1, 0]);
});
