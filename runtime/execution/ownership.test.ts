/** Who owns which partition, in virtual time: joining, leaving, dying, standing still. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type FaultPlan, faultPlan } from '../bus/memory/faults.ts';
import { type MemoryLog, memoryLog } from '../bus/memory/log.ts';
import { type MemoryStorage, memoryStorage } from '../bus/memory/storage.ts';
import { type VirtualClock, virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { seededRandom } from '../random.ts';
import { type LabDeed, type LabWorker, startLabWorker } from '../testing/ownership-lab.ts';
import { executionErrors } from './errors.ts';

interface World {
  readonly clock: VirtualClock;
  readonly storage: MemoryStorage;
  readonly deeds: LabDeed[];
  readonly living: Map<string, { worker: LabWorker; log: MemoryLog }>;
  join(
    name: string,
    options?: Pick<
      Parameters<typeof startLabWorker>[0],
      'expectedWorkers' | 'hadOthers' | 'processId' | 'processSpace' | 'onOpen'
    >,
  ): Promise<LabWorker>;
  kill(name: string): void;
  drive<T>(work: Promise<T>): Promise<T>;
  /** Partitions of each worker, and of nobody, once nothing more moves. */
  owners(): Record<string, number[]>;
}

function openWorld(partitions: number, faults?: FaultPlan): World {
  const clock = virtualClock(1_700_000_000_000);
  const storage = memoryStorage();
  const deeds: LabDeed[] = [];
  const living: World['living'] = new Map();
  async function drive<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    for (let step = 0; !settled && step < 10_000; step++) await clock.advance(10);
    return done;
  }
  return {
    clock,
    storage,
    deeds,
    living,
    drive,
    async join(name, options = {}) {
      const log = memoryLog({ clock, storage, ...(faults ? { faults } : {}) });
      const worker = await drive(startLabWorker({ log, clock, name, partitions, deeds, ...options }));
      living.set(name, { worker, log });
      return worker;
    },
    kill(name) {
      living.get(name)?.log.crash();
      living.delete(name);
    },
    owners: () =>
      Object.fromEntries([...living].map(([name, { worker }]) => [name, [...worker.open].sort((a, b) => a - b)])),
  };
}

describe('ownership of partitions', () => {
  it('gives everything to one worker at once', async () => {
    const world = openWorld(4);
    await world.join('A');
    await world.clock.advance(200);
    expect(world.owners()).toEqual({ A: [0, 1, 2, 3] });
  });

  it('shares when workers are started together, without moving anything', async () => {
    const world = openWorld(4);
    await world.join('A', { expectedWorkers: 2 });
    await world.clock.advance(1_000);
    expect(world.owners()).toEqual({ A: [] });
    await world.join('B', { expectedWorkers: 2 });
    await world.clock.advance(1_000);
    expect(world.owners()).toEqual({ A: [0, 1], B: [2, 3] });
    expect(world.deeds.filter(({ deed }) => deed !== 'open')).toEqual([]);
  });

  it('does not wait for ever for workers that do not come', async () => {
    const world = openWorld(2);
    await world.join('A', { expectedWorkers: 2 });
    await world.clock.advance(limits.workerStartWaitMs + 1_000);
    expect(world.owners()).toEqual({ A: [0, 1] });
  });

  it('hands over to one that joins: drained first, opened there within a second', async () => {
    const world = openWorld(4);
    await world.join('A');
    await world.clock.advance(5_000);
    await world.join('B');
    await world.clock.advance(limits.workerSettleMs + limits.workerTickEveryMs + 1_000);
    expect(world.owners()).toEqual({ A: [0, 1], B: [2, 3] });
    for (const partition of [2, 3]) {
      const own = world.deeds.filter((one) => one.partition === partition);
      expect(own.map(({ worker, deed }) => `${worker} ${deed}`)).toEqual(['A open', 'A drain', 'B open']);
      expect((own[2]?.at ?? 0) - (own[1]?.at ?? 0)).toBeLessThan(1_000);
    }
  });

  it('moves the partitions of a dead worker within 5 s', async () => {
    const world = openWorld(4);
    await world.join('A', { expectedWorkers: 2 });
    await world.join('B', { expectedWorkers: 2 });
    await world.clock.advance(5_000);
    world.kill('B');
    const diedAt = world.clock.now();
    while (world.owners().A?.length !== 4) await world.clock.advance(50);
    // The broker has lost its connection: nobody waits for the lease to run out.
    expect(world.clock.now() - diedAt).toBeLessThanOrEqual(2_500);
  });

  it.each([
    { space: 'here', known: 'at once where its process was seen to end' },
    { space: 'another container', known: 'after its silence where process ids are of another system' },
  ])('moves the partitions of a dead worker $known', async ({ space }) => {
    const processId = spawnSync(process.execPath, ['-e', '']).pid;
    const world = openWorld(2);
    await world.join('A', { expectedWorkers: 2, processId: process.pid, processSpace: 'here' });
    await world.join('B', { expectedWorkers: 2, processId, processSpace: space });
    // While the broker knows somebody by its name it lives, whatever process has its id.
    await world.clock.advance(5_000);
    expect(world.owners()).toEqual({ A: [0], B: [1] });
    world.kill('B');
    const diedAt = world.clock.now();
    while (world.owners().A?.length !== 2) await world.clock.advance(10);
    const tookMs = world.clock.now() - diedAt;
    if (space === 'here') expect(tookMs).toBeLessThan(limits.workerDoubtMs);
    else expect(tookMs).toBeGreaterThan(limits.workerDoubtMs);
  });

  it('moves the partitions of a worker that is gone without the broker noticing (its machine lost power) within 5 s', async () => {
    const world = openWorld(4);
    await world.join('A', { expectedWorkers: 2 });
    await world.join('B', { expectedWorkers: 2 });
    await world.clock.advance(5_000);
    for (const interest of [...world.storage.interests])
      world.storage.interests.add({ ...interest, isDead: () => false });
    world.kill('B');
    const diedAt = world.clock.now();
    while (world.owners().A?.length !== 4) await world.clock.advance(50);
    const tookMs = world.clock.now() - diedAt;
    expect(tookMs).toBeGreaterThan(limits.leaseMs - limits.leaseRenewEveryMs);
    expect(tookMs).toBeLessThanOrEqual(5_000);
  });

  it('takes what a leaving worker gives at once', async () => {
    const world = openWorld(4);
    const leaving = await world.join('A', { expectedWorkers: 2 });
    await world.join('B', { expectedWorkers: 2 });
    await world.clock.advance(5_000);
    const leftAt = world.clock.now();
    await world.drive(leaving.ownership.leave());
    world.living.delete('A');
    await world.clock.advance(200);
    expect(world.owners()).toEqual({ B: [0, 1, 2, 3] });
    expect(world.clock.now() - leftAt).toBeLessThan(1_000);
  });

  it('stands by with the only partition, and takes it when its owner dies', async () => {
    const world = openWorld(1);
    await world.join('A');
    await world.join('B');
    await world.clock.advance(20_000);
    expect(world.owners()).toEqual({ A: [0], B: [] });
    world.kill('A');
    await world.clock.advance(5_000);
    expect(world.owners()).toEqual({ B: [0] });
  });

  it('takes from one that is stopped for longer than the lease; that one notices when it goes on', async () => {
    const world = openWorld(1);
    await world.join('A');
    await world.join('B');
    await world.clock.advance(2_000);
    const stopped = world.living.get('A');
    stopped?.log.pause();
    // Its other timers go on, as they do not in life: it still says that it lives, and holds the others off no longer.
    await world.clock.advance(8_000);
    stopped?.log.resume();
    await world.clock.advance(10_000);
    const owners = world.owners();
    expect([...(owners.A ?? []), ...(owners.B ?? [])]).toEqual([0]);
  });

  it('moves nothing for a worker that comes and goes', async () => {
    const world = openWorld(4);
    await world.join('A');
    await world.clock.advance(5_000);
    const before = world.deeds.length;
    for (let round = 0; round < 5; round++) {
      const guest = await world.join(`guest${round}`);
      await world.clock.advance(limits.workerSettleMs / 2);
      await world.drive(guest.ownership.leave());
      world.living.delete(`guest${round}`);
      await world.clock.advance(1_000);
    }
    expect(world.deeds.slice(before).filter(({ worker }) => worker === 'A')).toEqual([]);
  });

  it('tries again a little later what was dropped for another owner, and fails for anything else', async () => {
    const world = openWorld(1);
    let tries = 0;
    const fenced = await world.join('A', {
      onOpen() {
        if (++tries === 1) throw executionErrors.make('MACH3203', { stage: 's1', partition: 0, reason: 'a test' });
      },
    });
    await world.clock.advance(limits.ownershipRetryDelayMs + 1_000);
    expect([tries, world.owners(), fenced.failures]).toEqual([2, { A: [0] }, []]);
    fenced.ownership.drop(0, 'another has written');
    await world.clock.advance(limits.ownershipRetryDelayMs + 1_000);
    expect([tries, world.owners()]).toEqual([3, { A: [0] }]);
  });

  const doesNotOpen = () => {
    throw new Error('its port is taken');
  };

  it('fails when a partition does not open that nobody else can have had', async () => {
    const world = openWorld(1);
    const failing = await world.join('A', { onOpen: doesNotOpen });
    await world.clock.advance(1_000);
    expect(failing.failures).toHaveLength(1);
  });

  it('keeps its healthy partitions when another one does not open, says why, and takes it once it does', async () => {
    const world = openWorld(2);
    await world.join('A');
    await world.clock.advance(1_000);
    let tries = 0;
    let isFree = false;
    const second = await world.join('B', {
      onOpen(partition) {
        if (partition === 1 || isFree) return;
        tries++;
        doesNotOpen();
      },
    });
    world.kill('A');
    const longMs = 40 * limits.ownershipRetryDelayMaxMs;
    await world.clock.advance(longMs);
    expect([world.owners(), second.failures]).toEqual([{ B: [1] }, []]);
    expect(second.ownership.problemOf(0)).toMatch(`its port is taken (tried ${tries} times)`);
    expect(second.ownership.problemOf(1)).toBeNull();
    // Growing pauses with a bound: it is neither given up nor tried all the time.
    expect(tries).toBeGreaterThan(longMs / (2 * limits.ownershipRetryDelayMaxMs));
    expect(tries).toBeLessThan((2 * longMs) / limits.ownershipRetryDelayMaxMs);
    isFree = true;
    await world.clock.advance(2 * limits.ownershipRetryDelayMaxMs);
    expect([world.owners(), second.ownership.problemOf(0)]).toEqual([{ B: [0, 1] }, null]);
  });

  it('says that it is settled although a partition does not open, when others were there before it', async () => {
    const world = openWorld(2);
    const again = await world.join('A', {
      hadOthers: true,
      onOpen(partition) {
        if (partition === 0) doesNotOpen();
      },
    });
    await world.drive(again.ownership.settled);
    await world.clock.advance(1_000);
    expect([world.owners(), again.failures]).toEqual([{ A: [1] }, []]);
  });

  it('refuses at once what no other worker could do either', async () => {
    const world = openWorld(1);
    await world.join('A');
    const refused = await world.join('B', {
      onOpen() {
        throw executionErrors.make('MACH3205', { nodes: 'sums' });
      },
    });
    world.kill('A');
    await world.clock.advance(5_000);
    expect(refused.failures).toMatchObject([{ code: 'MACH3205' }]);
  });

  it('says when it is settled, and who the others are', async () => {
    const world = openWorld(2);
    const first = await world.join('A');
    await world.drive(first.ownership.settled);
    expect([first.ownership.owned, first.ownership.hasOthers]).toEqual([[0, 1], false]);
    const second = await world.join('B');
    await world.drive(second.ownership.settled);
    expect([first.ownership.hasOthers, second.ownership.hasOthers]).toEqual([true, true]);
    expect(first.ownership.workers).toMatchObject([
      { worker: 'A', self: true },
      { worker: 'B', self: false },
    ]);
  });

  it('is not settled while the only other worker may be dead', async () => {
    const world = openWorld(1);
    await world.join('A');
    await world.clock.advance(1_000);
    world.kill('A');
    const second = await world.join('B');
    await world.drive(second.ownership.settled);
    expect(second.ownership.owned).toEqual([0]);
  });

  it('takes nothing more and gives nothing up once it is frozen', async () => {
    const world = openWorld(2);
    const first = await world.join('A');
    await world.clock.advance(1_000);
    first.ownership.freeze();
    await world.join('B');
    await world.clock.advance(10_000);
    expect(world.owners()).toEqual({ A: [0, 1], B: [] });
  });

  it('ends with every partition owned once, whatever came and went before (60 seeds)', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const partitions = random.int(1, 6);
      const faults = faultPlan(seed, { leaseRequestLost: 0.1, leaseForgotten: 0.01, appendLost: 0.02 });
      const world = openWorld(partitions, faults);
      let born = 0;
      await world.join(`w${born++}`);
      for (let event = 0; event < 12; event++) {
        const names = [...world.living.keys()];
        if (random.chance(0.5) || names.length < 2) await world.join(`w${born++}`);
        else world.kill(names[random.int(0, names.length - 1)] ?? '');
        await world.clock.advance(random.int(0, 4_000));
      }
      faults.stop();
      await world.clock.advance(20_000);
      const owned = Object.values(world.owners());
      const message = `seed ${seed}: ${JSON.stringify(world.owners())}`;
      expect(owned.flat().sort(), message).toEqual(Array.from({ length: partitions }, (_, index) => index));
      const sizes = owned.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes), message).toBeLessThanOrEqual(1);
      for (const name of world.living.keys()) world.kill(name);
    }
  });
});
