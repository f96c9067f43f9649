/** What the leases of every log must do. */
import { describe, expect, it } from 'vitest';
import { limits } from '../../limits.ts';
import type { Lease, Log } from '../log.ts';
import type { ContractSubject } from './log-contract.ts';

export interface WatchedLease {
  readonly lease: Lease;
  readonly held: Promise<void>;
  readonly lost: Promise<string>;
}

/** `told`: who got and lost it, in order. */
export async function watchLease(
  log: Log,
  member: string,
  { name = '0', told = [] }: { name?: string; told?: string[] } = {},
): Promise<WatchedLease> {
  let onHeld = () => {};
  let onLost = (_: string) => {};
  const held = new Promise<void>((resolve) => {
    onHeld = resolve;
  });
  const lost = new Promise<string>((resolve) => {
    onLost = resolve;
  });
  const lease = await log.lease({
    group: 'works',
    name,
    member,
    onHeld() {
      told.push(`${member} holds ${name}`);
      onHeld();
    },
    onLost(reason) {
      told.push(`${member} lost ${name}`);
      onLost(reason);
    },
  });
  return { lease, held, lost };
}

export function describeLeases({ name, run }: ContractSubject): void {
  describe(`${name}: leases`, () => {
    it('gives a lease to one, and to the next as soon as it is released', () =>
      run(async (log, connect) => {
        const told: string[] = [];
        const first = await watchLease(log, 'A', { told });
        await first.held;
        const second = await watchLease(await connect(), 'B', { told });
        expect([first.lease.held, second.lease.held]).toEqual([true, false]);
        await first.lease.release();
        expect(first.lease.held).toBe(false);
        await second.held;
        expect(told).toEqual(['A holds 0', 'B holds 0']);
        await second.lease.release();
        const again = await watchLease(log, 'A', { told });
        await again.held;
        await again.lease.release();
      }));

    it('keeps the leases of a group apart', () =>
      run(async (log, connect) => {
        const other = await connect();
        const leases = [await watchLease(log, 'A', { name: '0' }), await watchLease(other, 'B', { name: '1' })];
        for (const { held } of leases) await held;
        expect(leases.map(({ lease }) => lease.held)).toEqual([true, true]);
        for (const { lease } of leases) await lease.release();
      }));

    it('gives the lease of one that has gone without a word to the next', () =>
      run(async (log, connect) => {
        const gone = await connect();
        const first = await watchLease(gone, 'A');
        await first.held;
        const second = await watchLease(log, 'B');
        await gone.close();
        await second.held;
        expect(first.lease.held).toBe(false);
        await second.lease.release();
      }));

    it('knows whether anybody listens', () =>
      run(async (log, connect) => {
        const stop = new AbortController();
        const listener = await connect();
        const listening = (async () => {
          for await (const _ of listener.subscribe('life.A', stop.signal));
        })();
        while (!(await log.hasSubscriber('life.A')));
        expect(await log.hasSubscriber('life.B')).toBe(false);
        stop.abort();
        await listening;
        while (await log.hasSubscriber('life.A'));
      }));

    it('takes a lease from one that is known to be gone', () =>
      run(async (log, connect) => {
        const gone = await connect();
        const first = await watchLease(gone, 'A');
        await first.held;
        const second = await watchLease(log, 'B');
        await gone.close();
        await second.lease.evict();
        await second.held;
        await second.lease.release();
      }));

    it('keeps a lease for longer than it is valid, by renewing it', () =>
      run(async (log, connect) => {
        const told: string[] = [];
        const first = await watchLease(log, 'A', { told });
        await first.held;
        const second = await watchLease(await connect(), 'B', { told });
        await new Promise((resolve) => setTimeout(resolve, limits.leasePinMs + limits.leaseRenewEveryMs));
        expect(first.lease.held).toBe(true);
        await first.lease.release();
        await second.held;
        expect(told).toEqual(['A holds 0', 'B holds 0']);
        await second.lease.release();
      }));
  });
}
