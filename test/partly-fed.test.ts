/** Partitions of a later stage to which not all comes that comes to the first: they hold no time back, and say nothing of what is not theirs. */
import { describe, expect, it } from 'vitest';
import { operators } from '../operators/index.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { settlePartitions } from '../runtime/execution/rescale/deployed-partitions.ts';
import { rescale } from '../runtime/execution/rescale/rescale.ts';
import { rebindVersion } from '../runtime/execution/upgrade/rebind.ts';
import { type Lab, type LabProcess, openLab } from '../runtime/testing/engine-lab.ts';
import { smallCatalogue } from '../runtime/testing/small-catalogue.ts';

const topologyOf = (nodes: string) => `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d }, calls: { pulses: {}, idle: 30d } }
operators:
  newest: { latest: { from: calls, key: hospital } }
  shown: { latest: { from: beds, key: hospital } }
  kinds: { dedupe: { from: shown, by: value, within: 1h } }
${nodes}
sinks:
  rows: { collect: { from: windows, table: rows, rows: append } }
  values: { collect: { from: kinds, table: kinds, rows: append } }
`;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const small = smallCatalogue();
const rebind = rebindVersion({
  catalogue: { ...small, operators: [...small.operators, ...operators] },
  env: {},
});

async function feed(lab: Lab, process: LabProcess, sources: readonly string[], from: number): Promise<void> {
  for (let second = from; second < from + 35; second++) {
    for (const source of sources) {
      const event = { id: `${source}${second}`, hospital: `H${second % 3}`, value: second % 7, patient: null };
      const time = 1_699_900_000_000 + second * 1_000;
      await lab.drive(process.source(source).append({ origin: source, events: [{ event, time }] }), 10);
    }
  }
  await lab.settle(process);
}

const rowsOf = (lab: Lab) =>
  lab
    .events('rows')
    .map((event) => JSON.stringify(event))
    .sort();
const drain = (lab: Lab, process: LabProcess) => lab.drive(process.engine?.drain() ?? Promise.resolve());

describe('time comes through a union, in every partition', () => {
  const windows =
    'windows: { aggregate: { from: both, key: hospital, window: { tumbling: 10s }, values: { n: count() } } }';

  it.each([
    ['of a source and of a later stage', '  both: { union: { from: [calls, kinds] } }'],
    [
      'of what comes to the first partition alone',
      '  some: { sample: { from: newest, every: 2 } }\n  both: { union: { from: [beds, some] } }',
    ],
  ])('%s', async (_, nodes) => {
    const ran = async (partitions: number) => {
      const lab = openLab({ topology: topologyOf(`${nodes}\n  ${windows}`), operators });
      let process = await lab.start({ partitions });
      await feed(lab, process, ['beds', 'calls'], 0);
      const first = rowsOf(lab).length;
      await drain(lab, process);
      process = await lab.start({ partitions });
      await feed(lab, process, ['beds', 'calls'], 35);
      return { first, rows: rowsOf(lab) };
    };
    const one = await ran(1);
    expect(one.first).toBeGreaterThan(5);
    expect(await ran(3)).toEqual(one);
  });
});

describe('what stands in the first partition alone', () => {
  const before = topologyOf(
    '  windows: { aggregate: { from: newest, window: { tumbling: 10s, lateness: 20s }, values: { n: count() } } }',
  );
  // After a change all is said once more.
  const after = before
    .replace('sinks:', '  few: { filter: { from: beds, when: value > 3 } }\nsinks:')
    .concat('  few_rows: { collect: { from: few, table: few, rows: append } }\n');

  it('is cut as it stands there: no window that was given is given again', async () => {
    const ran = async (isCut: boolean) => {
      const lab = openLab({ topology: before, operators });
      let partitions = isCut ? 3 : 1;
      await lab.drive(settlePartitions(memoryLog(lab), 'lab', { wanted: partitions }));
      let process = await lab.start({ partitions });
      await feed(lab, process, ['beds', 'calls'], 0);
      await drain(lab, process);
      process = await lab.start({ partitions, topology: after });
      await feed(lab, process, ['beds', 'calls'], 35);
      await drain(lab, process);
      for (const next of isCut ? [1, 2] : []) {
        const { log } = process;
        await lab.drive(rescale({ log, topology: lab.bind(after), partitions: next, rebind, logger: silent }));
        partitions = next;
        process = await lab.start({ partitions, topology: after });
        await drain(lab, process);
      }
      process = await lab.start({ partitions, topology: after });
      await feed(lab, process, ['calls'], 70);
      return rowsOf(lab);
    };
    const one = await ran(false);
    expect(one.length).toBeGreaterThan(1);
    expect(await ran(true)).toEqual(one);
  });
});
