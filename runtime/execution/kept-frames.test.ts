/** Partitions share the events of an edge: each has one home, as objects and as columns, and its time and cause go with it. */
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { EventColumns } from '../stream/event-columns.ts';
import { type Batch, columnBatch, type Frame } from '../stream/frame.ts';
import type { Event } from '../stream/schema.ts';
import type { Keep, SpreadPlan } from '../topology/spread.ts';
import { keptFrames } from './kept-frames.ts';
import { keyGroupOf } from './key-groups.ts';

const wards = ['khoa A', 'khoa B', null, 'khoa C', 'khoa B', 'khoa A', 'khoa D'];
const beds = [3, 4, 5, -1, 0.5, null, 70_000];
const events: Event[] = wards.map((ward, at) => ({ ward, bed: beds[at] }));
const lineage = { times: events.map((_, at) => 1_000 + at), causes: events.map((_, at) => 10 + at) };
const asObjects: Batch = { kind: 'batch', events, ...lineage };
// As a batch that is a part of another: its rows do not begin with the columns.
const asColumns = () =>
  columnBatch(
    new EventColumns(
      ['ward', 'bed'],
      [
        [null, ...wards, 'x'],
        [1, ...beds, 2],
      ],
      { length: 9 },
    ).slice(1, 8),
    lineage,
  );

function keptOf(frame: Frame, keep: Keep, { partition, partitions }: { partition: number; partitions: number }) {
  const frames = new Subject<Frame>();
  const kept: Frame[] = [];
  const plan: SpreadPlan = { partitions, stages: 1, nodes: new Map(), exchanges: [] };
  keptFrames(frames, keep, { plan, stage: 1, partition }).subscribe((one) => kept.push(one));
  frames.next(frame);
  return kept;
}

const rowsOf = (frames: readonly Frame[]) =>
  frames.flatMap((frame) =>
    frame.kind === 'batch'
      ? frame.events.map((event, at) => ({ event, time: frame.times[at], cause: frame.causes[at] }))
      : [],
  );

const all = rowsOf([asObjects]);

describe.each([{ by: ['ward'] }, { by: ['bed'] }, { by: ['ward', 'bed'] }, { by: ['bed', 'absent'] }])(
  'kept by $by',
  ({ by }) => {
    const keep: Keep = { kind: 'by', fields: by };
    it.each([1, 2, 3, 128])(
      'each event has one home among %i partitions, the same for objects and columns',
      (partitions) => {
        const homes = Array.from({ length: partitions }, (_, partition) => {
          const ofObjects = rowsOf(keptOf(asObjects, keep, { partition, partitions }));
          const ofColumns = keptOf(asColumns(), keep, { partition, partitions });
          expect(rowsOf(ofColumns)).toEqual(ofObjects);
          for (const frame of ofColumns) expect(frame).toHaveProperty('columns');
          for (const { event } of ofObjects) expect(keyGroupOf(by)(event) % partitions).toBe(partition);
          return ofObjects;
        });
        expect(homes.flat().sort((a, b) => (a.cause as number) - (b.cause as number))).toEqual(all);
      },
    );
  },
);

it('a key is in its group for ever', () => {
  const groups = events.map((event) =>
    [keyGroupOf(['ward']), keyGroupOf(['bed']), keyGroupOf(['ward', 'bed'])].map((of) => of(event)),
  );
  expect(groups).toMatchInlineSnapshot(`
    [
      [
        9,
        47,
        81,
      ],
      [
        14,
        74,
        56,
      ],
      [
        63,
        54,
        87,
      ],
      [
        54,
        18,
        126,
      ],
      [
        14,
        46,
        32,
      ],
      [
        9,
        63,
        58,
      ],
      [
        89,
        61,
        112,
      ],
    ]
  `);
});

it('what every partition has may be handled by the first alone', () => {
  const keep: Keep = { kind: 'first' };
  expect(rowsOf(keptOf(asColumns(), keep, { partition: 0, partitions: 2 }))).toEqual(all);
  expect(keptOf(asColumns(), keep, { partition: 1, partitions: 2 })).toEqual([]);
});

it('watermarks and the end are for all', () => {
  const mark: Frame = { kind: 'watermark', time: 5, idle: false };
  for (const keep of [{ kind: 'first' }, { kind: 'by', fields: ['bed'] }] satisfies Keep[])
    expect(keptOf(mark, keep, { partition: 1, partitions: 2 })).toEqual([mark]);
});
