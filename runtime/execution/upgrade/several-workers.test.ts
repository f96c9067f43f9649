/** Workers that share a topology change it at one message of the log, all of them or none, whoever dies on the way. */
import { describe, expect, it } from 'vitest';
import { isBalanced } from '../../stream/ledger.ts';
import { type Lab, type LabProcess, openLab } from '../../testing/engine-lab.ts';
import { decodeInputFrame } from '../log-frame.ts';

const start = 1_699_990_000_000;
const partitions = 4;
const shares = [
  [0, 1],
  [2, 3],
];

const topologyOf = (min: number, more = '') => `
version: 1
name: live
sources:
  beds: { pulses: {}, idle: 30d, disorder: 0s }
${more}
operators:
  kept: { keep: { from: beds, min: ${min} } }
  order: { numbered: { from: beds } }
  windows: { totals: { from: kept, every: 10s } }
  behind: { numbered: { from: windows } }
sinks:
  rows: { collect: { from: order, table: rows } }
  sums: { collect: { from: windows, key: [hospital, begin], table: sums } }
  numbers: { collect: { from: behind, table: numbers } }
`;
const [old, next] = [topologyOf(0), topologyOf(5)];

interface World {
  readonly lab: Lab;
  readonly workers: LabProcess[];
  send(from: number, to: number): Promise<void>;
  settle(): Promise<void>;
}

async function openWorld(edges?: Parameters<typeof openLab>[0]['edges']): Promise<World> {
  const lab = openLab({ topology: old, ...(edges && { edges }) });
  const workers: LabProcess[] = [];
  for (const units of shares) workers.push(await lab.start({ shared: true, partitions, units }));
  const living = () => workers.filter(({ dead }) => !dead);
  /** Whoever holds the first partition has the source. */
  const holder = () => living().find(({ engine }) => engine?.units.has(0)) as LabProcess;
  return {
    lab,
    workers,
    async send(from, to) {
      for (let index = from; index < to; index++) {
        const event = { id: `b${index}`, hospital: `H${index % 7}`, value: index % 10, patient: null };
        const events = [{ event, time: start + index * 1_000 }];
        await lab.drive(
          holder()
            .source('beds')
            .append({ origin: 'H', id: `r${index}`, events }),
        );
      }
    },
    async settle() {
      await lab.drive(Promise.all(living().map(({ engine }) => engine?.settled())));
    },
  };
}

/** The survivor takes what the dead have held, as ownership would have it. */
async function takeOver({ lab, workers }: World): Promise<void> {
  const survivor = workers.find(({ dead }) => !dead);
  if (!survivor?.engine) throw new Error('nobody has survived');
  for (let partition = 0; partition < partitions; partition++) {
    if (!survivor.engine.units.has(partition)) await lab.drive(survivor.engine.openUnit(partition));
  }
}

const versionsOf = ({ workers }: World) =>
  new Set(workers.filter(({ dead }) => !dead).map(({ engine }) => engine?.topology.hash));

/** Counts of each window as a batch over the log gives them: what stands behind the mark of a change is filtered by the new version. */
async function countsByLog(lab: Lab, changedAt: (id: string) => boolean): Promise<Record<string, number>> {
  const stream = lab.storage.streams.get('mach-live-s1-in');
  const schema = lab.topology.sources[0]?.bound.ports.out ?? { fields: {} };
  const counts: Record<string, number> = {};
  let min = 0;
  for (const { payload } of [...(stream?.messages.values() ?? [])].sort((a, b) => a.sequence - b.sequence)) {
    const frame = decodeInputFrame(payload, schema);
    if (frame.kind === 'version' && changedAt(frame.id)) min = 5;
    if (frame.kind !== 'source') continue;
    frame.events.forEach((event, at) => {
      if (Number(event.value) < min) return;
      const begin = Math.floor((frame.times[at] as number) / 10_000) * 10_000;
      const key = `${event.hospital} ${begin}`;
      counts[key] = (counts[key] ?? 0) + 1;
    });
  }
  return counts;
}

function expectOnce({ lab, workers }: World, sent: number): void {
  const numbers = lab.events('rows').map(({ number }) => Number(number));
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
  const windows = lab.events('sums').map(({ hospital, begin }) => `${hospital} ${begin}`);
  expect(windows).toHaveLength(new Set(windows).size);
  expect(lab.events('numbers').map(({ number }) => number)).toEqual(windows.map((_, index) => index + 1));
  for (const { engine } of workers.filter(({ dead }) => !dead)) {
    for (const { stages } of engine?.units.values() ?? [])
      for (const { machine } of stages) expect(isBalanced(machine.accounting)).toBe(true);
  }
}

function expectCounts(lab: Lab, counts: Record<string, number>): void {
  const closed = lab.events('sums').map(({ hospital, begin, count }) => [`${hospital} ${begin}`, count] as const);
  expect(closed.length).toBeGreaterThan(20);
  for (const [key, count] of closed) expect([key, count]).toEqual([key, counts[key]]);
}

describe('a topology that several workers change', { timeout: 300_000 }, () => {
  it('changes in all partitions at one message, while its source goes on', async () => {
    const world = await openWorld();
    const { lab, workers } = world;
    await world.send(0, 53);
    let sent = 53;
    let done = false;
    const upgrading = (workers[1] as LabProcess).upgrade(next).finally(() => {
      done = true;
    });
    while (!done) await world.send(sent, ++sent);
    expect(await upgrading).toMatchObject({ applied: true, keptOpen: ['beds'] });
    await world.send(sent, sent + 60);
    await world.settle();
    expect(versionsOf(world)).toEqual(new Set([lab.bind(next).hash]));
    expectOnce(world, sent + 60);
    expectCounts(lab, await countsByLog(lab, () => true));
  });

  it('is left as it is in all of them when one cannot bring the new version up', async () => {
    let refuses = false;
    const world = await openWorld({
      opened(source) {
        if (source === 'calls' && refuses) throw new Error('the port is taken');
      },
    });
    const more = topologyOf(5, '  unused: { pulses: {}, idle: 30d }\n  calls: { pulses: {}, idle: 30d }');
    const used = more.replace(
      'sinks:',
      '  both: { numbered: { from: calls } }\n  least: { numbered: { from: unused } }\nsinks:\n  c: { collect: { from: both, table: c } }\n  u: { collect: { from: least, table: u } }',
    );
    await world.send(0, 20);
    refuses = true;
    await expect((world.workers[0] as LabProcess).upgrade(used)).rejects.toMatchObject({
      code: 'MACH3225',
      message: expect.stringContaining('the port is taken'),
    });
    await world.send(20, 40);
    expect(versionsOf(world)).toEqual(new Set([world.lab.bind(old).hash]));
    refuses = false;
    await (world.workers[0] as LabProcess).upgrade(used);
    await world.send(40, 80);
    await world.settle();
    expect(versionsOf(world)).toEqual(new Set([world.lab.bind(used).hash]));
    expectOnce(world, 80);
  });

  it('refuses what would lose state before anybody is asked', async () => {
    const world = await openWorld();
    await world.send(0, 5);
    const lost = old.replace('every: 10s', 'every: 20s');
    await expect((world.workers[0] as LabProcess).upgrade(lost)).rejects.toMatchObject({ code: 'MACH3223' });
    await world.send(5, 10);
    await world.settle();
    expectOnce(world, 10);
  });

  const points = [
    'upgrade.before-trial',
    'upgrade.after-proposal',
    'upgrade.before-hand-over',
    'upgrade.after-mark',
    'upgrade.after-hand-over',
    'upgrade.after-start',
    'upgrade.before-decision',
    'upgrade.after-decision',
  ];
  const others = ['checkpoint.before-put', 'checkpoint.after-put', 'exchange.before-append', 'output.after-append'];

  describe.each([
    { who: 'who leads it', victim: 0 },
    { who: 'who takes part', victim: 1 },
  ])('when $who dies', ({ victim }) => {
    it.each([...points, ...others])('at %s nothing is lost or doubled, and one version runs', async (point) => {
      const world = await openWorld();
      const { lab, workers } = world;
      await world.send(0, 33);
      const [leader, dying] = [workers[0] as LabProcess, workers[victim] as LabProcess];
      dying.crashPoints.arm(point);
      const upgrading = leader.upgrade(next).catch(() => undefined);
      await lab.drive(Promise.race([upgrading, dying.died]));
      dying.kill();
      await takeOver(world).catch((e) => {
        console.log(
          workers
            .map((w) =>
              w.logged
                .map((l) => JSON.stringify(l))
                .slice(-14)
                .join('\n'),
            )
            .join('\n=====\n'),
        );
        throw e;
      });
      await lab.drive(upgrading);
      const survivor = workers[1 - victim] as LabProcess;
      const applied = survivor.engine?.topology.hash === lab.bind(next).hash;
      await world.send(33, 70);
      if (!applied) expect(await survivor.upgrade(next)).toMatchObject({ applied: true });
      await world.send(70, 130);
      await world.settle();
      expect(versionsOf(world)).toEqual(new Set([lab.bind(next).hash]));
      expectOnce(world, 130);
      // The last mark is that of the change that was made.
      const marks = await marksOf(lab);
      expectCounts(lab, await countsByLog(lab, (id) => id === marks.at(-1)));
    });
  });
});

async function marksOf(lab: Lab): Promise<string[]> {
  const messages = [...(lab.storage.streams.get('mach-live-s1-in')?.messages.values() ?? [])];
  return messages
    .sort((a, b) => a.sequence - b.sequence)
    .flatMap(({ payload }) => {
      const frame = decodeInputFrame(payload, lab.topology.sources[0]?.bound.ports.out ?? { fields: {} });
      return frame.kind === 'version' ? [frame.id] : [];
    });
}
