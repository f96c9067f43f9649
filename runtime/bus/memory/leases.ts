/**
 * Leases of the log in memory: a broker that gives ticks to one client alone, as JetStream's priority groups do, and the
 * faults that it and the network may have.
 */
import type { Clock, Timer } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { keepLease, type LeaseAnswer, type LeaseTransport } from '../lease-keeper.ts';
import { type Lease, type LeaseOptions, leaseSubject } from '../log.ts';
import type { FaultPlan } from './faults.ts';
import type { MemoryStorage } from './storage.ts';

interface Waiting {
  /** Of a dead process: its connection is gone, and with it its requests. */
  readonly isGone: () => boolean;
  readonly answer: (answer: LeaseAnswer) => void;
  readonly expires: Timer;
}

export interface StoredLease {
  pin: string | undefined;
  /** Runs out when the holder has not asked for so long. */
  runsOut: Timer | undefined;
  readonly waiting: Waiting[];
  pins: number;
}

function leaseOf(storage: MemoryStorage, options: LeaseOptions): StoredLease {
  const name = leaseSubject(options);
  const known = storage.leases.get(name) ?? { pin: undefined, runsOut: undefined, waiting: [], pins: 0 };
  storage.leases.set(name, known);
  return known;
}

function startTimeOut(lease: StoredLease, clock: Clock): void {
  lease.runsOut?.cancel();
  lease.runsOut = clock.after(limits.leasePinMs, () => handOver(lease, clock));
}

function pinTo(lease: StoredLease, answer: (answer: LeaseAnswer) => void, clock: Clock): void {
  lease.pin = `pin-${++lease.pins}`;
  startTimeOut(lease, clock);
  answer({ kind: 'tick', pin: lease.pin });
}

/** Nobody holds it any more: whoever has waited longest does. */
function handOver(lease: StoredLease, clock: Clock): void {
  lease.runsOut?.cancel();
  lease.pin = undefined;
  let next = lease.waiting.shift();
  while (next?.isGone()) next = lease.waiting.shift();
  next?.expires.cancel();
  if (next) pinTo(lease, next.answer, clock);
}

/** What reaches a process that is stopped, reaches it when it goes on; a dead one never. */
export interface LeaseClient {
  readonly isDead: () => boolean;
  /** Now, or when the process goes on. */
  readonly whenAwake: (run: () => void) => void;
}

export function memoryLease(args: {
  storage: MemoryStorage;
  options: LeaseOptions;
  clock: Clock;
  faults: FaultPlan;
  client: LeaseClient;
}): Lease {
  const { storage, options, faults, client } = args;
  const broker = args.clock;
  const lease = leaseOf(storage, options);
  const own: Clock = {
    ...broker,
    after: (delayMs, run) =>
      broker.after(delayMs, () => {
        if (!client.isDead()) client.whenAwake(run);
      }),
  };

  const transport: LeaseTransport = {
    tick() {},
    ask(pin, answer) {
      if (client.isDead()) return undefined;
      const fault = faults.forLease(options.name);
      if (fault === 'request-lost') return () => undefined;
      if (fault === 'forgotten') handOver(lease, broker);
      let withdrawn = false;
      let waiting: Waiting | undefined;
      const reply = (given: LeaseAnswer) =>
        queueMicrotask(() => {
          if (!withdrawn && !client.isDead()) client.whenAwake(() => !withdrawn && answer(given));
        });
      if (pin !== undefined && pin === lease.pin) {
        startTimeOut(lease, broker);
        reply({ kind: 'tick', pin });
      } else if (pin !== undefined) reply({ kind: 'refused' });
      else if (lease.pin === undefined) pinTo(lease, reply, broker);
      else {
        const expire = () => {
          remove();
          reply({ kind: 'nothing' });
        };
        waiting = { isGone: client.isDead, answer: reply, expires: broker.after(limits.leaseAskMs, expire) };
        lease.waiting.push(waiting);
      }
      const remove = () => {
        const at = waiting ? lease.waiting.indexOf(waiting) : -1;
        if (at >= 0) lease.waiting.splice(at, 1);
      };
      return () => {
        withdrawn = true;
        waiting?.expires.cancel();
        remove();
      };
    },
    async unpin() {
      if (client.isDead()) return new Promise(() => undefined);
      handOver(lease, broker);
    },
  };
  return keepLease({ options, clock: own, transport });
}
