/** Look-ups behind an exchange: their answers are in the input log before anything depends on them, and find their way to the stage that asked. */
import { describe, expect, it, vi } from 'vitest';
import { mergeAccounting } from '../../stream/ledger.ts';
import type { Event } from '../../stream/schema.ts';
import type { SinkRow } from '../../stream/sink-definition.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { runAtPartitions } from '../../testing/topology-test/at-partitions.ts';
import { topologyNames } from '../../topology/names.ts';

/** For a machine that is busy with others. */
vi.setConfig({ testTimeout: 180_000 });

const topology = `version: 1
name: lab
sources:
  beats: { pulses: {} }
operators:
  tally: { tallied: { from: beats } }
  asked: { ask: { from: tally, timeout: 5s } }
  kept: { keep: { from: asked, min: 0 } }
  sums: { totals: { from: asked, every: 10s } }
sinks:
  rows: { collect: { from: kept } }
  sums_kept: { collect: { from: sums, key: [hospital, begin] } }
`;

const hospitals = ['H1', 'H2', 'H3', 'H4', 'H5'];
const startMs = 1_700_000_000_000;

const pulse = (second: number) => ({
  event: { id: `p${second}`, hospital: hospitals[second % 5] as string, value: second, patient: null },
  // Behind engine time, so that watermarks move at once.
  time: startMs - 3_600_000 + second * 1_000,
});

const engineOf = (process: LabProcess) => process.engine as NonNullable<LabProcess['engine']>;
const shown = (rows: readonly { event: Event; time: number; sequence?: number }[]) =>
  rows.map(({ event, time, sequence }) => JSON.stringify([sequence, time, event])).sort();

/** Asks take longer or shorter, some fail; every question is counted. */
function opened() {
  const asked: string[] = [];
  const lab: Lab = openLab({
    topology,
    edges: {
      async answer(event) {
        asked.push(String(event.id));
        await lab.clock.sleep(((event.value as number) % 7) * 40);
        if ((event.value as number) % 11 === 0) throw new Error('the other side is away');
        return { known: event.hospital };
      },
    },
  });
  return { lab, asked };
}

async function sendAll(lab: Lab, from: number, to: number, process: LabProcess): Promise<void> {
  for (let second = from; second < to && !process.dead; second++) {
    const append = process.source('beats').append({ origin: 'one', events: [pulse(second)], id: `p${second}` });
    await lab.drive(Promise.race([append.catch(() => undefined), process.died]), 20);
  }
}

/** Answers come by way of the log: everything is quiet when nothing is waited for any more. */
async function quiet(lab: Lab, process: LabProcess): Promise<void> {
  const { stages } = engineOf(process).units.values().next().value ?? {};
  if (!stages) throw new Error('no partition runs');
  let before = -1;
  for (;;) {
    await lab.settle(process);
    await lab.clock.advance(1_000);
    await lab.settle(process);
    const { lastSequence } = await engineOf(process).input.state();
    if (lastSequence === before) return;
    before = lastSequence;
  }
}

async function replayed(lab: Lab, partitions: number) {
  const messages = [...(lab.storage.streams.get(topologyNames('lab').inputStream('s1'))?.messages.values() ?? [])];
  return runAtPartitions({ topology: lab.topology, messages, startMs, partitions });
}

describe('a look-up behind an exchange', () => {
  const pulses = 40;

  it.each([
    'none',
    'stage.after-handle',
    'exchange.before-append',
    'exchange.after-append',
    'checkpoint.after-put',
    'output.after-append',
  ])(
    'crash at %s: every pulse gets one answer, and a replay of the log gives the same rows in the same places',
    async (point) => {
      const { lab, asked } = opened();
      let deaths = 0;
      let process = await lab.start({ partitions: 4, checkpointEveryMs: 1_000 });
      expect(engineOf(process).plan.nodes.get('asked')?.stage).toBe(2);
      for (const visit of point === 'none' ? [] : [5, 40]) {
        process.crashPoints.arm(point, visit);
        await sendAll(lab, 0, pulses / 2, process);
        if (!process.dead) await lab.drive(Promise.race([quiet(lab, process), process.died]).then(() => undefined));
        if (process.crashPoints.crashed) deaths++;
        else process.kill();
        process = await lab.start({ partitions: 4, checkpointEveryMs: 1_000 });
      }
      await sendAll(lab, 0, pulses, process);
      await quiet(lab, process);
      const rows: readonly SinkRow[] = lab.sink('rows').rows;
      const ids = rows.map(({ event }) => String(event.id));
      expect([...ids].sort()).toEqual(Array.from({ length: pulses }, (_, second) => `p${second}`).sort());
      // In the order in which they were asked for.
      expect(ids).toEqual([...ids].sort((one, other) => Number(one.slice(1)) - Number(other.slice(1))));
      for (const { event } of rows) {
        const isAway = (event.value as number) % 11 === 0;
        expect(event.answer).toEqual(isAway ? null : { known: event.hospital });
        expect(event.failure).toBe(isAway ? 'the other side is away' : null);
      }
      expect(asked.length).toBeGreaterThanOrEqual(pulses);
      expect(deaths > 0).toBe(point !== 'none');
      const accounting = mergeAccounting([...engineOf(process).units.values()].map((unit) => unit.accounting));
      for (const partitions of [1, 3]) {
        const again = await replayed(lab, partitions);
        expect(shown(again.rows.get('rows') ?? [])).toEqual(shown(rows));
        expect(shown(again.rows.get('sums_kept') ?? [])).toEqual(shown(lab.sink('sums_kept').rows));
        expect(again.accounting).toEqual(accounting);
      }
      expect(lab.sink('sums_kept').rows.length).toBeGreaterThan(2);
    },
  );
});
