/** A machine in the past is the machine that ran then, whatever it is restored from. */
import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../random.ts';
import { topologyNames } from '../../topology/names.ts';
import { type Lived, liveAndDie, shownRow } from './lab.fixture.ts';
import { openPast, type Past } from './past.ts';

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

describe('a machine in the past', () => {
  let lived: Lived;
  let past: Past;

  beforeAll(async () => {
    lived = await liveAndDie({ random: seededRandom(41) });
    const { lab, last } = lived;
    const names = topologyNames(lab.topology.name);
    const objects = await last.log.objects(names.checkpointBucket);
    past = await openPast({ log: last.log, topology: lab.topology, names, objects });
  });

  it('gives the rows that the sinks got, through crashes, from the beginning of the log', async () => {
    expect(lived.lives).toBeGreaterThan(2);
    const rows = await rowsFrom(past, 1, false);
    for (const sink of ['rows', 'sums']) {
      expect(rows[sink]?.length, sink).toBeGreaterThan(40);
      expect(rows[sink], sink).toEqual(lived.lab.sink(sink).rows.map(shownRow));
    }
  });

  it.each([0.3, 0.6, 0.95])('gives the same rows from the middle (%d), restored from a checkpoint', async (share) => {
    const from = Math.floor(past.last * share);
    const { restored, missing, sequence } = await past.machineBefore(from);
    expect(restored?.sequence).toBeGreaterThan(0);
    expect({ missing, sequence }).toEqual({ missing: 0, sequence: from - 1 });
    const rows = await rowsFrom(past, from);
    for (const sink of ['rows', 'sums']) {
      const live = lived.lab.sink(sink).rows.map(shownRow);
      expect(rows[sink], sink).toEqual(live.filter((row) => row.sequence >= from));
    }
  });

  it('finds the first message that was accepted at a time', async () => {
    const times: { sequence: number; time: number }[] = [];
    for await (const { sequence, frame } of past.messages(past.first)) {
      if (frame.kind === 'source') times.push({ sequence, time: frame.engineTime ?? 0 });
    }
    expect(times.length).toBeGreaterThan(50);
    for (const { time } of times) {
      expect(await past.sequenceAt(time)).toBe(times.find((one) => one.time >= time)?.sequence);
    }
    expect(await past.sequenceAt(0)).toBe(times[0]?.sequence);
    expect(await past.sequenceAt(Number.MAX_SAFE_INTEGER)).toBe(past.last + 1);
  });

  it('says so when there is no log (MACH3230), or when it does not reach that far (MACH3231)', async () => {
    const { lab, last } = lived;
    const names = topologyNames('other');
    const objects = await last.log.objects(names.checkpointBucket);
    await expect(openPast({ log: last.log, topology: lab.topology, names, objects })).rejects.toMatchObject({
      code: 'MACH3230',
    });
    const beyond = past.messages(1, { until: past.last + 1 })[Symbol.asyncIterator]();
    await expect(beyond.next()).rejects.toMatchObject({ code: 'MACH3231' });
  });
});
