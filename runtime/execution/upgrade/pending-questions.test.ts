/** A change while look-ups wait for answers: whoever asked, every event gets one answer, before and behind an exchange. */
import { describe, expect, it } from 'vitest';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';

const start = 1_699_990_000_000;
const partitions = 2;

const topologyOf = (min: number) => `
version: 1
name: live
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
operators:
  early: { ask: { from: beds, timeout: 1m, concurrency: 8 } }
  tally: { tallied: { from: early } }
  behind: { ask: { from: bare, timeout: 1m, concurrency: 8 } }
  bare: { keep: { from: first, min: 0 } }
  first: { tallied: { from: beds } }
  kept: { keep: { from: beds, min: ${min} } }
  sums: { totals: { from: behind, every: 10s } }
sinks:
  early_rows: { collect: { from: tally, table: early_rows } }
  rows: { collect: { from: behind, table: rows } }
  others: { collect: { from: kept, table: others } }
  sums_rows: { collect: { from: sums, key: [hospital, begin], table: sums } }
`;
const [old, next] = [topologyOf(0), topologyOf(5)];
const pulses = 40;

interface World {
  readonly lab: Lab;
  readonly workers: LabProcess[];
}

async function opened(): Promise<World> {
  const lab: Lab = openLab({
    topology: old,
    // Longer than the change takes, shorter, and in another order.
    edges: { answer: ({ value, id }) => lab.clock.sleep(500 + ((Number(value) * 7) % 10) * 900).then(() => id) },
  });
  const workers: LabProcess[] = [];
  for (const units of [[0], [1]]) workers.push(await lab.start({ shared: true, partitions, units }));
  return { lab, workers };
}

const living = ({ workers }: World) => workers.filter(({ dead }) => !dead);

async function send(world: World, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) {
    const event = { id: `b${index}`, hospital: `H${index % 7}`, value: index % 10, patient: null };
    const holder = living(world).find(({ engine }) => engine?.units.has(0)) as LabProcess;
    const events = [{ event, time: start + index * 1_000 }];
    await world.lab.drive(holder.source('beds').append({ origin: 'H', id: `r${index}`, events }), 50);
  }
}

/** Until nothing is waited for any more. */
async function quiet(world: World): Promise<void> {
  for (let round = 0; round < 40; round++) {
    await world.lab.drive(Promise.all(living(world).map(({ engine }) => engine?.settled())));
    await world.lab.clock.advance(1_000);
  }
}

const ids = Array.from({ length: pulses }, (_, index) => `b${index}`).sort();

function expectOneAnswerEach({ lab }: World): void {
  for (const sink of ['early_rows', 'rows']) {
    const rows = lab.events(sink);
    expect(rows.map(({ id }) => String(id)).sort()).toEqual(ids);
    for (const { id, answer, failure } of rows) expect([answer, failure]).toEqual([id, null]);
  }
  const counted = lab.events('sums_rows').reduce((sum, { count }) => sum + Number(count), 0);
  expect(counted).toBeGreaterThanOrEqual(pulses - 10);
  const windows = lab.events('sums_rows').map(({ hospital, begin }) => `${hospital} ${begin}`);
  expect(new Set(windows).size).toBe(windows.length);
}

describe('a change while answers are on their way', () => {
  it.each([0, 1])('that worker %i is asked for leaves no question open', async (at) => {
    const world = await opened();
    await send(world, 0, 25);
    await world.workers[at]?.upgrade(next);
    await send(world, 25, pulses);
    await quiet(world);
    expectOneAnswerEach(world);
    expect(new Set(living(world).map(({ engine }) => engine?.topology.hash)).size).toBe(1);
  });

  it.each(
    ['upgrade.after-proposal', 'upgrade.after-mark', 'upgrade.before-decision', 'upgrade.after-decision'].flatMap(
      (point) => [0, 1].map((at) => ({ point, at })),
    ),
  )('leaves none open when worker $at, who asked for it, dies at $point', async ({ point, at }) => {
    const world = await opened();
    const { lab, workers } = world;
    await send(world, 0, 25);
    const asker = workers[at] as LabProcess;
    asker.crashPoints.arm(point, 1);
    await asker.upgrade(next).catch(() => undefined);
    expect(asker.dead).toBe(true);
    const [survivor] = living(world);
    await lab.drive(survivor?.engine?.openUnit(at) ?? Promise.resolve());
    await send(world, 25, pulses);
    await quiet(world);
    expectOneAnswerEach(world);
  });
});
