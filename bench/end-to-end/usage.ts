/** Processor time of a phase, by process. */
import { busySecondsOfMachine, cpuSecondsOf } from '../machine.ts';
import type { Session } from './session.ts';
import { monotonicMs } from './workload.ts';

const names = ['engine', 'nats', 'store', 'driver', 'poller'] as const;

/** Cores in use on average; `others`: whoever else uses the machine. */
export type Cores = Readonly<Record<(typeof names)[number] | 'others', number>>;

/** Counts from here to the call of what it gives. */
export function startUsage({ engine, driver, poller }: Session): () => { cores: Cores; seconds: number } {
  const look = () => ({
    at: monotonicMs(),
    machine: busySecondsOfMachine(),
    ...engine.cpuSeconds(),
    driver: cpuSecondsOf(driver.pid ?? 0),
    poller: cpuSecondsOf(poller.pid ?? 0),
  });
  const before = look();
  return () => {
    const after = look();
    const seconds = (after.at - before.at) / 1_000;
    const share = (used: number) => Math.round((Math.max(0, used) / seconds) * 100) / 100;
    const own = names.reduce((sum, name) => sum + after[name] - before[name], 0);
    const of = (name: (typeof names)[number]) => share(after[name] - before[name]);
    return {
      seconds: Math.round(seconds * 10) / 10,
      cores: {
        engine: of('engine'),
        nats: of('nats'),
        store: of('store'),
        driver: of('driver'),
        poller: of('poller'),
        others: share(after.machine - before.machine - own),
      },
    };
  };
}
