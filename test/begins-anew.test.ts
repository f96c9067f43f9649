/** Nodes whose source has ended and which another one feeds now, also by others: time goes on for all of them, and none that was passed is taken back. */
import { describe, expect, it } from 'vitest';
import { aggregate } from '../operators/aggregate/aggregate.ts';
import { dedupe } from '../operators/dedupe.ts';
import { join } from '../operators/join/join.ts';
import { rescale } from '../runtime/execution/rescale/rescale.ts';
import { rebindVersion } from '../runtime/execution/upgrade/rebind.ts';
import type { OperatorDefinition } from '../runtime/stream/operator-definition.ts';
import { type LabProcess, openLab } from '../runtime/testing/engine-lab.ts';
import { smallCatalogue } from '../runtime/testing/small-catalogue.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const operators = [aggregate, dedupe, join] as readonly OperatorDefinition[];

/** With several partitions each node that reads another stands in a later stage. */
const topologyOf = (from: string) => `
version: 1
name: live
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
  calls: { pulses: {}, idle: 30d, disorder: 0s }
operators:
  first: { dedupe: { from: ${from}, by: id, within: 1h } }
  tally: { tallied: { from: first } }
  again: { dedupe: { from: tally, by: id, within: 1h } }
  counts: { aggregate: { from: again, key: value, window: { tumbling: 10s }, values: { n: count() } } }
  all: { aggregate: { from: again, key: value, window: { global: true, early: 10s }, values: { n: count() } } }
  every: { aggregate: { from: again, key: value, window: { global: true, early: 10s }, values: { n: count(), ids: distinct(id) } } }
sinks:
  rows: { collect: { from: counts, key: [value, window_start], table: counts } }
  late: { collect: { from: counts.late, table: late } }
  all_rows: { collect: { from: all, key: [value], table: all } }
  every_rows: { collect: { from: every, key: [value], table: every } }
`;

async function opened(from: string, partitions: number) {
  const lab = openLab({ topology: topologyOf(from), operators });
  let process = await lab.start({ partitions, checkpointEveryMs: 500 });
  const begin = 1_699_900_000_000;
  const start = async (topology: string) => {
    process = await lab.start({ partitions, topology, checkpointEveryMs: 500 });
  };
  return {
    lab,
    source: (id: string) => process.source(id),
    settle: () => lab.settle(process),
    async send(source: string, seconds: readonly [number, number]) {
      for (let second = seconds[0]; second < seconds[1]; second++) {
        const event = { id: `${source}${second}`, hospital: `H${second % 3}`, value: second % 2, patient: null };
        const time = begin + second * 1_000;
        await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
      }
      await lab.settle(process);
    },
    async change(to: string, { isLive = false, isCrashing = false } = {}) {
      const before: LabProcess = process;
      if (isLive) await before.upgrade(topologyOf(to));
      else {
        await lab.drive(before.engine?.stop() ?? Promise.resolve());
        await start(topologyOf(to));
      }
      if (!isCrashing) return;
      process.kill();
      await start(topologyOf(to));
    },
    /** Of each second at which a window begins how many were counted in it, all that was given of it. */
    counted() {
      const windows = new Map<number, number[]>();
      for (const { window_start: from, n } of lab.events('rows')) {
        const second = (Number(from) - begin) / 1_000;
        windows.set(second, [...(windows.get(second) ?? []), Number(n)]);
      }
      return windows;
    },
  };
}

describe.each([1, 2, 4])('at %i partitions', (partitions) => {
  it.each([true, false])('time goes on for all that stands behind such a node (crash: %s)', async (isCrashing) => {
    const run = await opened('calls', partitions);
    await run.send('beds', [0, 1]);
    await run.send('calls', [0, 20]);
    await run.lab.drive(run.source('calls').ended());
    await run.settle();
    await run.change('beds', { isCrashing });
    const before = run.lab.events('all_rows').length;
    await run.send('beds', [20, 61]);
    expect(run.lab.events('late')).toEqual([]);
    const windows = run.counted();
    for (const from of [20, 30, 40, 50]) expect(windows.get(from)).toEqual([5, 5]);
    const [all, every] = ['all_rows', 'every_rows'].map((sink) => run.lab.events(sink).slice(before));
    expect(Math.max(...(all ?? []).map(({ n }) => Number(n)))).toBeGreaterThan(25);
    expect(Math.max(...(every ?? []).map(({ n }) => Number(n)))).toBeGreaterThan(25);
  });

  it('windows that were given before the end are not given again', async () => {
    const run = await opened('calls', partitions);
    await run.send('calls', [0, 41]);
    await run.lab.drive(run.source('calls').ended());
    await run.settle();
    await run.change('beds');
    await run.send('beds', [0, 81]);
    const windows = run.counted();
    for (const from of [0, 10, 20, 30]) expect(windows.get(from)).toEqual([5, 5]);
    expect(run.lab.events('late')).toHaveLength(40);
    for (const from of [50, 60, 70]) expect(windows.get(from)).toEqual([5, 5]);
  });
});

it.each([true, false])('a time by which no message was handled was not passed (live: %s)', async (isLive) => {
  const run = await opened('beds', 1);
  await run.send('beds', [0, 15]);
  await run.send('calls', [500, 501]);
  await run.change('calls', { isLive });
  await run.change('beds', { isLive });
  await run.send('beds', [15, 61]);
  expect(run.lab.events('late')).toEqual([]);
  for (const from of [0, 10, 20, 30, 40, 50]) expect(run.counted().get(from)).toEqual([5, 5]);
});

/** A node of a later stage reads a source beside another node. */
const withPairs = (right: string) =>
  topologyOf('calls')
    // The state of what tallies cannot be cut.
    .replace(/.* tallied: .*/, '  order: { numbered: { from: first } }')
    .replace('from: tally', 'from: first')
    .replace(
      'every: { aggregate: { from: again, key: value',
      `${pairs(right)}\n  every: { aggregate: { from: pairs, key: id`,
    )
    .replace('key: [value], table: every', 'key: [id], table: every');
const pairs = (right: string) =>
  `pairs: { join: { left: order, right: ${right}, on: id, within: { after: 1s }, fields: [hospital], prefix: other_ } }`;

/** How many rows each sink has after each round; the source of them all ends with the first. */
async function rowsAfter(rounds: readonly { partitions: number; topology: string; cutFor?: number }[]) {
  const lab = openLab({ topology: withPairs('calls'), operators });
  const small = smallCatalogue();
  const rebind = rebindVersion({ catalogue: { ...small, operators: [...small.operators, ...operators] }, env: {} });
  const given: number[][] = [];
  for (const [round, { partitions, topology, cutFor }] of rounds.entries()) {
    const process = await lab.start({ partitions, topology });
    for (let second = 0; second < 15; second++) {
      const event = { id: `${second}`, hospital: `H${second % 3}`, value: second % 2, patient: null };
      const time = 1_699_900_000_000 + (round * 20 + second) * 1_000;
      for (const source of round === 0 ? ['calls', 'beds'] : ['beds'])
        await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
    }
    if (round === 0) await lab.drive(process.source('calls').ended());
    await lab.settle(process);
    given.push(['rows', 'all_rows', 'every_rows'].map((sink) => lab.events(sink).length));
    await lab.drive(process.engine?.drain() ?? Promise.resolve());
    const args = { log: process.log, topology: lab.topology, rebind, logger: silent };
    if (cutFor !== undefined) await lab.drive(rescale({ ...args, partitions: cutFor }));
  }
  return given;
}

const numbers = [
  { partitions: 1, cutFor: 4 },
  { partitions: 4, cutFor: 2 },
  { partitions: 2, cutFor: 1 },
  { partitions: 1 },
].map((round) => ({ ...round, topology: withPairs('calls') }));
const feeds = (partitions: number) =>
  ['calls', 'again', 'calls'].map((right) => ({ partitions, topology: withPairs(right) }));

it.each([
  { what: 'its state is cut for another number of partitions', rounds: numbers },
  { what: 'something else feeds it that has ended as well, in one partition', rounds: feeds(1) },
  { what: 'something else feeds it that has ended as well, in several', rounds: feeds(4) },
])('what has come to its end comes to it once when $what', async ({ rounds }) => {
  const [first, ...later] = await rowsAfter(rounds);
  expect(first?.[0]).toBe(4);
  for (const given of later) expect(given).toEqual(first);
});
