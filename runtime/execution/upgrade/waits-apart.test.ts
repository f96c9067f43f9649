/** Checkpoints from when a look-up stood in every partition. */
import { expect, it } from 'vitest';
import { openLab } from '../../testing/engine-lab.ts';
import { spreadTopology } from '../../topology/spread.ts';
import type { StageSnapshot } from '../stage-machine.ts';
import { waitsApart } from './adopt.ts';

const topology = `version: 1
name: lab
sources: { beats: { pulses: {} } }
operators:
  tally: { tallied: { from: beats } }
  asked: { ask: { from: tally } }
sinks: { rows: { collect: { from: asked } } }
`;

it('names what would wait for ever where no answers come', () => {
  const bound = openLab({ topology }).topology;
  const plan = spreadTopology(bound, 2);
  const pending = { keys: ['one', 'two'], times: [1, 2], values: [{}, {}], evicted: 0 };
  const of = (states: object) => ({ nodes: new Map([['asked', { states }]]) }) as unknown as StageSnapshot;
  const waiting = of(new Map([['pending', pending]]));
  expect(waitsApart(waiting, bound, { plan, stage: 2, partition: 1 })).toEqual([
    { node: 'asked', reason: '2 events wait for answers in partition 1, and it stands in the first alone now' },
  ]);
  expect(waitsApart(waiting, bound, { plan, stage: 2, partition: 0 })).toEqual([]);
  expect(waitsApart(of(new Map()), bound, { plan, stage: 2, partition: 1 })).toEqual([]);
});
