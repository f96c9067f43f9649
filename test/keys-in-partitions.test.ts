/** With several partitions what is added behind a node may decide by which fields its keys lie in them: their state does not go along. */
import { expect, it } from 'vitest';
import { operators } from '../operators/index.ts';
import { memoryLog } from '../runtime/bus/memory/log.ts';
import { settlePartitions } from '../runtime/execution/rescale/deployed-partitions.ts';
import { rescale } from '../runtime/execution/rescale/rescale.ts';
import { rebindVersion } from '../runtime/execution/upgrade/rebind.ts';
import { type Lab, type LabProcess, openLab } from '../runtime/testing/engine-lab.ts';
import { smallCatalogue } from '../runtime/testing/small-catalogue.ts';

const before = `
version: 1
name: lab
sources: { beds: { pulses: {}, idle: 30d } }
operators:
  once: { dedupe: { from: beds, by: [hospital, id], within: 1h } }
sinks:
  rows: { collect: { from: once, table: rows, rows: append } }
`;
/** Windows by hospital would like to stand where the events of a hospital already are. */
const after = before
  .replace(
    'sinks:',
    '  windows: { aggregate: { from: once, key: hospital, window: { tumbling: 10s }, values: { n: count() } } }\nsinks:',
  )
  .concat('  counts: { collect: { from: windows, table: counts, rows: append } }\n');

/** The same events each time. */
async function feed(lab: Lab, process: LabProcess): Promise<void> {
  for (let at = 0; at < 20; at++) {
    const event = { id: `e${at}`, hospital: `H${at % 5}`, value: 1, patient: null };
    const events = [{ event, time: 1_699_900_000_000 + at * 1_000 }];
    await lab.drive(process.source('beds').append({ origin: 'beds', events }), 10);
  }
  await lab.settle(process);
}

const drain = (lab: Lab, process: LabProcess) => lab.drive(process.engine?.drain() ?? Promise.resolve());

it.each(['live', 'by a start'])(
  'a change %s that lets keys lie elsewhere is refused, and lets nothing through twice',
  async (way) => {
    const ran = async (partitions: number) => {
      const lab = openLab({ topology: before, operators });
      let process = await lab.start({ partitions });
      await feed(lab, process);
      let refused: string | undefined;
      const note = (error: Error & { code?: string }) => {
        refused = `${error.code} ${error.message}`;
      };
      if (way === 'live') await process.upgrade(after).catch(note);
      else {
        await drain(lab, process);
        const next = await lab.start({ partitions, topology: after }).catch(note);
        process = next ?? (await lab.start({ partitions }));
      }
      await feed(lab, process);
      expect(lab.events('rows')).toHaveLength(20);
      return refused;
    };
    expect(await ran(1)).toBeUndefined();
    expect(await ran(3)).toMatch(
      /^MACH3\d+ .*once.*: its keys lie in partitions by hospital, id, and would by hospital/,
    );
  },
);

it('the same change goes by way of one partition, and lets nothing through twice', async () => {
  const lab = openLab({ topology: before, operators });
  await lab.drive(settlePartitions(memoryLog(lab), 'lab', { wanted: 3 }));
  let process = await lab.start({ partitions: 3 });
  await feed(lab, process);
  const small = smallCatalogue();
  const rebind = rebindVersion({ catalogue: { ...small, operators: [...small.operators, ...operators] }, env: {} });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const cut = async (partitions: number, topology: string) => {
    await drain(lab, process);
    const { log } = process;
    await lab.drive(rescale({ log, topology: lab.bind(topology), partitions, rebind, logger: silent }));
  };
  await cut(1, before);
  process = await lab.start({ partitions: 1, topology: after });
  await cut(3, after);
  process = await lab.start({ partitions: 3, topology: after });
  await feed(lab, process);
  expect(lab.events('rows')).toHaveLength(20);
});
