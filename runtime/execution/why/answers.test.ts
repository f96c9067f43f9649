/** Why a row is there that a look-up outside gave: of the event, and of the answer, which came in a message of its own. */
import { expect, it } from 'vitest';
import { memoryLog } from '../../bus/memory/log.ts';
import { type Lab, openLab } from '../../testing/engine-lab.ts';
import { topologyNames } from '../../topology/names.ts';
import { openPast } from '../replay/past.ts';
import { explainRow } from './explain.ts';
import { findResult, parseResult } from './find-result.ts';
import { reportOf, type WhyReport } from './report.ts';

const names = topologyNames('lab');
const time = Date.UTC(2023, 2, 2);

const yaml = (order: string) => `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  kept: { keep: { from: beats, min: 0 } }
  asked: { ask: { from: kept, order: ${order} } }
sinks:
  rows: { collect: { from: asked } }
`;

async function why(lab: Lab, id: string): Promise<WhyReport> {
  const { topology } = lab;
  const log = memoryLog({ clock: lab.clock, storage: lab.storage });
  const work = async () => {
    const past = await openPast({ log, topology, names, objects: await log.objects(names.checkpointBucket) });
    const { row } = await findResult(log, topology, parseResult(topology, 'rows', [`id=${id}`]));
    return reportOf(await explainRow({ past, topology }, row), { past, topology, reveal: false });
  };
  return lab.drive(work());
}

const causes = ({ messages }: WhyReport) =>
  messages.filter(({ role }) => role === 'cause').map(({ kind, events }) => [kind, events.length]);

it.each(['kept', 'free'])(
  'names the event and its answer, in whatever order answers come (order: %s)',
  async (order) => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    // Of each hospital the newest event moves time on: it is asked about as well, and those behind it wait for its answer.
    const pulses = (from: number) =>
      ids.map((id, at) => ({
        event: { id: `${id}${from}`, hospital: 'H1', value: at, patient: null },
        time: time + from,
      }));
    const lab = openLab({
      topology: yaml(order),
      edges: {
        answer: async ({ id, value }) => {
          await lab.clock.sleep(50 * (6 - Number(value)));
          return { of: id };
        },
      },
    });
    const process = await lab.start();
    for (const [at, origin] of ['H1', 'H2', 'H1'].entries())
      await lab.drive(process.source('beats').append({ origin, events: pulses(at) }));
    await lab.drive(lab.clock.sleep(5_000), 10);
    await lab.settle(process);
    const { rows } = lab.sink('rows');
    expect(rows).toHaveLength(15);
    for (const { event } of rows) {
      expect(event.answer).toEqual({ of: event.id });
      const report = await why(lab, String(event.id));
      expect(report.replay.verified).toBe(true);
      expect(report.replay.shortened).toBe(false);
      expect(causes(report)).toEqual([
        ['message', 1],
        ['answers', 0],
      ]);
    }
  },
);
