/** Nodes that keep their state and are fed by another source from now on, which has fallen silent, has ended or was never used: nothing waits for it for ever. */
import { describe, expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { dedupe } from '../operators/dedupe.ts';
import { filter } from '../operators/filter.ts';
import { join } from '../operators/join/join.ts';
import type { OperatorDefinition } from '../runtime/stream/operator-definition.ts';
import { type Lab, openLab } from '../runtime/testing/engine-lab.ts';
import { sendPulses, silences } from '../runtime/testing/silences.ts';

const operators = [aggregate, dedupe, filter, join] as readonly OperatorDefinition[];

/** The join stands in a later stage where there are several partitions. */
const topologyOf = ({ few = 'beds', sums = 'beds', right = 'beds' } = {}) => `
version: 1
name: live
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
  calls: { pulses: {}, idle: 1m, disorder: 0s }
operators:
  few: { filter: { from: ${few}, when: 'value == 1' } }
  few_sums: { aggregate: { from: few, key: hospital, window: { tumbling: 1m }, values: { n: count() } } }
  sums: { aggregate: { from: ${sums}, key: hospital, window: { tumbling: 1m }, values: { n: count() } } }
  first: { dedupe: { from: beds, by: id, within: 1h } }
  second: { dedupe: { from: ${right}, by: id, within: 1h } }
  pairs: { join: { left: first, right: second, on: hospital, within: { after: 1s }, fields: [id], prefix: other_, kind: left } }
sinks:
  few_sums_rows: { collect: { from: few_sums, key: [hospital, window_start], table: few_sums } }
  sums_rows: { collect: { from: sums, key: [hospital, window_start], table: sums } }
  pairs_rows: { collect: { from: pairs, table: pairs } }
`;

const changed = { few: 'calls', sums: 'calls', right: 'calls' };

/** What was counted, of how many. */
const totalOf = (lab: Lab, sink: string) => lab.events(sink).reduce((sum, { n }) => sum + Number(n), 0);

async function ran(
  partitions: number,
  silence: string,
  { isLive, isCrashing }: { isLive: boolean; isCrashing: boolean },
) {
  const lab = openLab({ topology: topologyOf(), operators });
  let process = await lab.start({ partitions, checkpointEveryMs: 500 });
  await silences[silence]?.(lab, process);
  await sendPulses(lab, process, { source: 'beds', count: 90, hospitals: 3 });
  await lab.settle(process);
  if (isLive) await process.upgrade(topologyOf(changed));
  else {
    await lab.drive(process.engine?.stop() ?? Promise.resolve());
    process = await lab.start({ partitions, topology: topologyOf(changed), checkpointEveryMs: 500 });
  }
  if (isCrashing) {
    process.kill();
    process = await lab.start({ partitions, topology: topologyOf(changed), checkpointEveryMs: 500 });
  }
  await sendPulses(lab, process, { source: 'beds', count: 150, hospitals: 3 });
  await lab.settle(process);
  const lefts = lab.events('pairs_rows').map(({ id }) => String(id));
  return { few: totalOf(lab, 'few_sums_rows'), sums: totalOf(lab, 'sums_rows'), lefts };
}

describe.each(Object.keys(silences))('a source %s', (silence) => {
  const ways = [1, 2, 4].flatMap((partitions) =>
    // Other events pass between the stages: with several partitions the engine ends first.
    (partitions === 1 ? [true, false] : [false]).flatMap((isLive) =>
      [true, false].map((isCrashing) => ({ partitions, isLive, isCrashing })),
    ),
  );
  it.each(ways)('holds up nothing ($partitions partitions, live: $isLive, crash: $isCrashing)', async (way) => {
    const { few, sums, lefts } = await ran(way.partitions, silence, way);
    expect(new Set(lefts).size).toBe(lefts.length);
    expect(lefts.length).toBeGreaterThan(90 + 150 - 10);
    // The time of what was never heard stands still.
    if (silence === 'that nobody has ever used') return;
    expect([few, sums]).toEqual([90, 90]);
  });
});

it.each([1, 2, 4])(
  'goes by the time of what feeds it now where what fed it before has ended, at %i partitions',
  async (partitions) => {
    const before = { few: 'calls', sums: 'calls', right: 'calls' };
    const lab = openLab({ topology: topologyOf(before), operators });
    const first = await lab.start({ partitions });
    await sendPulses(lab, first, { source: 'calls', count: 30, hospitals: 3 });
    await lab.drive(first.source('calls').ended());
    await sendPulses(lab, first, { source: 'beds', count: 30, hospitals: 3 });
    await lab.settle(first);
    expect([totalOf(lab, 'few_sums_rows'), totalOf(lab, 'sums_rows')]).toEqual([30, 30]);
    await lab.drive(first.engine?.stop() ?? Promise.resolve());
    const second = await lab.start({ partitions, topology: topologyOf() });
    await sendPulses(lab, second, { source: 'beds', count: 200, hospitals: 3 });
    await lab.settle(second);
    expect(totalOf(lab, 'few_sums_rows')).toBeGreaterThan(30 + 200 - 65);
    expect(totalOf(lab, 'sums_rows')).toBeGreaterThan(30 + 200 - 65);
    const lefts = lab.events('pairs_rows').map(({ id }) => String(id));
    expect(new Set(lefts).size).toBeGreaterThan(30 + 200 - 10);
  },
);
