/** A machine in the past is the machine that ran then, whatever it is restored from. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../random.ts';
import type { SinkRow } from '../../stream/definition.ts';
import { topologyNames } from '../../topology/names.ts';
import { type ChaosResult, type Request, requestsOf, runSchedule } from '../chaos.fixture.ts';
import type { OutputRow } from '../log-frame.ts';
import { openPast, type Past } from './past.ts';

const random = seededRandom(41);
const senders: Request[][] = [
  requestsOf('H1', 'beds', 60, random),
  requestsOf('H2', 'beds', 60, random),
  requestsOf('C1', 'calls', 60, random),
];

async function pastOf({ lab, last }: ChaosResult): Promise<Past> {
  const names = topologyNames(lab.topology.name);
  const objects = await last.log.objects(names.checkpointBucket);
  return openPast({ log: last.log, topology: lab.topology, names, objects });
}

/** Rows of every sink from a sequence on, as a machine in the past gives them. */
async function rowsFrom(past: Past, from: number, useCheckpoints = true): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {};
  const machine = await past.machineBefore(from, { useCheckpoints });
  machine.listen({
    row(output, row) {
      rows[output] = [...(rows[output] ?? []), shownRow(row)];
    },
  });
  for await (const message of past.messages(from)) machine.handle(message);
  return rows;
}

const shownRow = ({ event, time, sequence, index }: OutputRow | SinkRow) => ({ event, time, sequence, index });

const crashing = async (): Promise<ChaosResult> =>
  runSchedule(
    senders.map((requests) => [...requests]),
    {
      livesMax: 12,
      life: (index) => ({
        checkpointEveryMs: 700,
        prepare: (points) => {
          const name = ['checkpoint.after-put', 'output.after-append', 'sink.after-write'][index];
          if (name) points.arm(name, index + 3);
        },
      }),
    },
  );

describe('a machine in the past', () => {
  it('gives the rows that the sinks got, through crashes, from the beginning of the log', async () => {
    const ran = await crashing();
    const past = await pastOf(ran);
    expect(ran.lives).toBeGreaterThan(2);
    const rows = await rowsFrom(past, 1, false);
    for (const sink of ['rows', 'sums']) expect(rows[sink], sink).toEqual(ran.lab.sink(sink).rows.map(shownRow));
  });

  it('gives the same rows from the middle, restored from a checkpoint before it', async () => {
    const ran = await crashing();
    const past = await pastOf(ran);
    const from = past.last - 5;
    const { restored, missing, sequence } = await past.machineBefore(from);
    expect(restored?.sequence).toBeGreaterThan(0);
    expect({ missing, sequence }).toEqual({ missing: 0, sequence: from - 1 });
    const whole = await rowsFrom(past, from, false);
    expect(await rowsFrom(past, from)).toEqual(whole);
    const live = ran.lab.sink('rows').rows.map(shownRow);
    expect(whole.rows).toEqual(live.filter((row) => row.sequence >= from));
  });

  it('finds the first message that was accepted at a time', async () => {
    const past = await pastOf(await crashing());
    const times: number[] = [];
    for await (const { frame } of past.messages(past.first)) {
      if (frame.kind === 'source') times.push(frame.engineTime ?? 0);
    }
    const [time] = times.slice(times.length >> 1);
    const at = await past.sequenceAt(time as number);
    const found = await past.message(at);
    expect(found?.frame).toMatchObject({ kind: 'source', engineTime: time });
    const before = await past.message(at - 1);
    if (before?.frame.kind === 'source') expect(before.frame.engineTime).toBeLessThan(time as number);
    expect(await past.sequenceAt(0)).toBe(1);
    expect(await past.sequenceAt(Number.MAX_SAFE_INTEGER)).toBe(past.last + 1);
  });

  it('says so when there is no log (MACH3230), or when it does not reach that far (MACH3231)', async () => {
    const { lab, last } = await crashing();
    const names = topologyNames('other');
    const objects = await last.log.objects(names.checkpointBucket);
    await expect(openPast({ log: last.log, topology: lab.topology, names, objects })).rejects.toMatchObject({
      code: 'MACH3230',
    });
    const past = await pastOf({ lab, last, lives: 1, visits: new Map() });
    const beyond = past.messages(1, { until: past.last + 1 })[Symbol.asyncIterator]();
    await expect(beyond.next()).rejects.toMatchObject({ code: 'MACH3231' });
  });
});
