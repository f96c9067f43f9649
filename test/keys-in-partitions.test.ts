/** With several partitions what is added behind a node may decide by which fields its keys lie in them: their state does not go along. */
import { expect, it } from 'vitest';
import { operators } from '../operators/index.ts';
import { openLab } from '../runtime/testing/engine-lab.ts';

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

it.each(['live', 'by a start'])(
  'a change %s that lets keys lie elsewhere is refused, and lets nothing through twice',
  async (way) => {
    const ran = async (partitions: number) => {
      const lab = openLab({ topology: before, operators });
      let process = await lab.start({ partitions });
      const feed = async () => {
        for (let at = 0; at < 20; at++) {
          const event = { id: `e${at}`, hospital: `H${at % 5}`, value: 1, patient: null };
          const events = [{ event, time: 1_699_900_000_000 + at * 1_000 }];
          await lab.drive(process.source('beds').append({ origin: 'beds', events }), 10);
        }
        await lab.settle(process);
      };
      await feed();
      let refused: string | undefined;
      const note = (error: Error & { code?: string }) => {
        refused = `${error.code} ${error.message}`;
      };
      if (way === 'live') await process.upgrade(after).catch(note);
      else {
        await lab.drive(process.engine?.drain() ?? Promise.resolve());
        const next = await lab.start({ partitions, topology: after }).catch(note);
        process = next ?? (await lab.start({ partitions }));
      }
      await feed();
      expect(lab.events('rows')).toHaveLength(20);
      return refused;
    };
    expect(await ran(1)).toBeUndefined();
    expect(await ran(3)).toMatch(
      /^MACH3\d+ .*once.*: its keys lie in partitions by hospital, id, and would by hospital/,
    );
  },
);
