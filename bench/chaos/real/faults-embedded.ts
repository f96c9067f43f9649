/** Faults of the embedded form, in which NATS and ClickHouse are children of the engine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { noDisk } from './disk.ts';
import type { Fault, FaultContext } from './faults.ts';

const base = { form: 'embedded', lane: 'engine' } as const;

async function killChild({ world }: FaultContext, name: 'nats' | 'store'): Promise<string> {
  await world.worker.untilRunning();
  const until = Date.now() + 10_000;
  let child = world.child(name);
  while (child === undefined && Date.now() < until) {
    await sleep(100);
    child = world.child(name);
  }
  if (child === undefined) throw new Error(`the engine has no child ${name}`);
  process.kill(child, 'SIGKILL');
  await sleep(1_000);
  return 'SIGKILL of the child';
}

export const embeddedFaults: readonly Fault[] = [
  {
    ...base,
    name: 'embedded-killed',
    summary: 'SIGKILL of the engine, and with it of its NATS and its store',
    causes: ['restart'],
    async inject({ world, random }) {
      await world.worker.untilRunning();
      await sleep(random.int(0, 1_000));
      const { run } = world.worker;
      run.signal('SIGKILL');
      await run.ended;
      return 'SIGKILL';
    },
  },
  {
    ...base,
    name: 'embedded-nats-killed',
    summary: 'SIGKILL of the nats-server that the engine started',
    causes: [],
    inject: (context) => killChild(context, 'nats'),
  },
  {
    ...base,
    name: 'embedded-store-killed',
    summary: 'SIGKILL of the store that the engine started',
    causes: [],
    inject: (context) => killChild(context, 'store'),
  },
  {
    ...base,
    name: 'embedded-disk-full',
    summary: 'the one disk of log and store is full for a while',
    causes: [],
    unavailable: (world) => (world.disks.log ? null : noDisk),
    async inject({ world, span }) {
      await world.worker.untilRunning();
      world.disks.log?.fill();
      const fullMs = span(1_500, 20_000);
      await sleep(fullMs);
      world.disks.log?.empty();
      return `full for ${fullMs} ms`;
    },
  },
];
