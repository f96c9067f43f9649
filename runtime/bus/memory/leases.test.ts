/** Leases under faults of a seed, in virtual time. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { watchLease } from '../testing/lease-contract.ts';
import { type FaultPlan, faultPlan, noFaults } from './faults.ts';
import { memoryLog } from './log.ts';
import { memoryStorage } from './storage.ts';

const seeds = Array.from({ length: 40 }, (_, index) => index + 1);
const stepMs = 50;

/** Three members want one lease for a minute; gives the counts of who held it at each step. */
async function contend(faults: FaultPlan) {
  const clock = virtualClock(1_700_000_000_000);
  const storage = memoryStorage();
  const members = ['A', 'B', 'C'].map((name) => ({ name, log: memoryLog({ clock, storage, faults }) }));
  const leases = await Promise.all(members.map(async ({ name, log }) => (await watchLease(log, name)).lease));
  const holders: number[] = [];
  for (let at = 0; at < 60_000; at += stepMs) {
    await clock.advance(stepMs);
    holders.push(leases.filter(({ held }) => held).length);
  }
  faults.stop();
  await clock.advance(limits.leasePinMs + limits.leaseAskMs);
  const inTheEnd = leases.filter(({ held }) => held).length;
  for (const { log } of members) log.crash();
  return { holders, inTheEnd };
}

/** The broker forgets the holder once, at the n-th request. */
function forgetsOnce(at: number): FaultPlan {
  let requests = 0;
  return { ...noFaults, forLease: () => (++requests === at ? 'forgotten' : 'none') };
}

describe('leases in memory', () => {
  it.each(seeds)('never has two holders while requests get lost (seed %i)', async (seed) => {
    const faults = faultPlan(seed, { leaseRequestLost: 0.4 });
    const { holders, inTheEnd } = await contend(faults);
    expect(Math.max(...holders)).toBe(1);
    expect(faults.counts.get('lease-request-lost')).toBeGreaterThan(0);
    expect(inTheEnd).toBe(1);
  });

  it('has two holders for no longer than a lease when the broker forgets', async () => {
    let together = 0;
    for (const seed of seeds) {
      const { holders, inTheEnd } = await contend(forgetsOnce(20 + seed));
      together = Math.max(together, holders.filter((count) => count > 1).length * stepMs);
      expect(Math.max(...holders)).toBeLessThanOrEqual(2);
      expect(inTheEnd).toBe(1);
    }
    expect(together).toBeGreaterThan(0);
    expect(together).toBeLessThanOrEqual(limits.leaseMs);
  });

  it.each(seeds)('has one holder in the end whatever happened before (seed %i)', async (seed) => {
    const { inTheEnd } = await contend(faultPlan(seed, { leaseRequestLost: 0.2, leaseForgotten: 0.05 }));
    expect(inTheEnd).toBe(1);
  });

  it('does not tell a process that is stopped; it knows when it goes on', async () => {
    const clock = virtualClock(1_700_000_000_000);
    const storage = memoryStorage();
    const [stopped, other] = [memoryLog({ clock, storage }), memoryLog({ clock, storage })];
    const told: string[] = [];
    const first = await watchLease(stopped, 'A', { told });
    await clock.advance(1_000);
    const second = await watchLease(other, 'B', { told });
    stopped.pause();
    await clock.advance(limits.leasePinMs + limits.leaseAskMs);
    expect(told).toEqual(['A holds 0', 'B holds 0']);
    stopped.resume();
    await clock.advance(limits.leaseDoubtMs);
    expect(told).toEqual(['A holds 0', 'B holds 0', 'A lost 0']);
    await clock.advance(10_000);
    expect([first.lease.held, second.lease.held]).toEqual([false, true]);
    await second.lease.release();
    await clock.advance(1_000);
    expect(first.lease.held).toBe(true);
    for (const log of [stopped, other]) log.crash();
  });

  it('stays with a process that was blocked for longer than the lease when nobody wanted it meanwhile', async () => {
    const clock = virtualClock(1_700_000_000_000);
    const log = memoryLog({ clock, storage: memoryStorage() });
    const told: string[] = [];
    const { lease } = await watchLease(log, 'A', { told });
    await clock.advance(1_000);
    log.pause();
    await clock.advance(2 * limits.leasePinMs);
    log.resume();
    await clock.advance(limits.leaseDoubtMs);
    expect([told, lease.held]).toEqual([['A holds 0'], true]);
    log.crash();
  });

  it('can be taken from one that is known to be dead without waiting', async () => {
    const clock = virtualClock(1_700_000_000_000);
    const storage = memoryStorage();
    const [dying, other] = [memoryLog({ clock, storage }), memoryLog({ clock, storage })];
    await watchLease(dying, 'A');
    await clock.advance(1_000);
    const second = await watchLease(other, 'B');
    dying.crash();
    await second.lease.evict();
    await clock.advance(limits.leaseRenewEveryMs);
    expect(second.lease.held).toBe(true);
    other.crash();
  });

  it('is lost by its holder before another gets it when the process dies', async () => {
    const clock = virtualClock(1_700_000_000_000);
    const storage = memoryStorage();
    const [dying, other] = [memoryLog({ clock, storage }), memoryLog({ clock, storage })];
    const first = await watchLease(dying, 'A');
    await clock.advance(1_000);
    const second = await watchLease(other, 'B');
    await clock.advance(1_000);
    dying.crash();
    const diedAt = clock.now();
    while (!second.lease.held) {
      await clock.advance(10);
      expect(first.lease.held && second.lease.held).toBe(false);
    }
    expect(clock.now() - diedAt).toBeLessThanOrEqual(limits.leasePinMs);
    other.crash();
  });
});
