/** Faults of what is around the engine: the log's server, the store, the network between, the disks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { noDisk } from './disk.ts';
import type { Fault, FaultContext } from './faults.ts';
import type { Surroundings } from './world.ts';

const around = ({ world }: FaultContext): Surroundings => {
  if (!world.around) throw new Error('this fault is for the separate form');
  return world.around;
};

const base = { form: 'separate', lane: 'around' } as const;

export const aroundFaults: readonly Fault[] = [
  {
    ...base,
    name: 'nats-killed',
    summary: 'SIGKILL of nats-server; it comes back with its storage',
    causes: [],
    async inject(context) {
      const { log } = around(context);
      await log.kill();
      const downMs = context.span(context.random.int(200, 1_000), 20_000);
      await sleep(downMs);
      await log.start();
      return `down for ${downMs} ms`;
    },
  },
  {
    ...base,
    name: 'nats-black-hole',
    summary: 'nothing gets through to NATS or back, and nobody is told',
    causes: [],
    async inject(context) {
      const { logProxy } = around(context);
      logProxy.set('black-hole');
      const goneMs = context.span(2_500, 40_000);
      await sleep(goneMs);
      logProxy.set('pass');
      return `for ${goneMs} ms`;
    },
  },
  {
    ...base,
    name: 'nats-one-way-loss',
    summary: 'NATS gets what is said to it, and its answers are lost: appends that are stored and not acknowledged',
    causes: [],
    async inject(context) {
      const { logProxy } = around(context);
      const lost = context.random.chance(0.7) ? 'lose-answers' : 'lose-requests';
      logProxy.set(lost);
      const goneMs = context.span(1_500, 20_000);
      await sleep(goneMs);
      logProxy.set('pass');
      return `${lost} for ${goneMs} ms`;
    },
  },
  {
    ...base,
    name: 'nats-disk-full',
    summary: 'the disk of the log is full: appends are refused, and senders are told',
    causes: [],
    unavailable: (world) => (world.disks.log ? null : noDisk),
    async inject(context) {
      const { disks } = context.world;
      disks.log?.fill();
      const fullMs = context.span(1_500, 20_000);
      await sleep(fullMs);
      disks.log?.empty();
      // A server that could not write takes nothing more until it is started anew; the engine does so with its own.
      const { log } = around(context);
      await log.stop();
      await log.start();
      return `full for ${fullMs} ms, then started anew`;
    },
  },
  {
    ...base,
    name: 'store-killed',
    summary: 'SIGKILL of the store; it comes back at once',
    causes: [],
    async inject(context) {
      const { store } = around(context);
      await store.kill();
      await store.start();
      return 'SIGKILL';
    },
  },
  {
    ...base,
    lane: 'alone',
    name: 'store-answers-lost',
    summary: 'inserts are committed, and their answers never come',
    causes: ['deduplicated insert'],
    async inject(context) {
      const { storeProxy } = around(context);
      await context.world.untilRunning();
      const before = storeProxy.lostBytes;
      storeProxy.set('lose-answers');
      // In long runs the engine's own time-out ends the wait.
      const goneMs = context.span(1_500, 70_000);
      await sleep(goneMs);
      const until = Date.now() + 5_000;
      while (storeProxy.lostBytes === before && Date.now() < until) await sleep(50);
      storeProxy.set('pass');
      return `${storeProxy.lostBytes - before} bytes of answers lost in ${goneMs} ms`;
    },
  },
  {
    ...base,
    name: 'store-black-hole',
    summary: 'nothing gets through to the store or back, and nobody is told',
    causes: [],
    async inject(context) {
      const { storeProxy } = around(context);
      storeProxy.set('black-hole');
      const goneMs = context.span(2_000, 40_000);
      await sleep(goneMs);
      storeProxy.set('pass');
      return `for ${goneMs} ms`;
    },
  },
  {
    ...base,
    name: 'store-down',
    summary: 'the store is killed and stays away',
    causes: [],
    async inject(context) {
      const { store } = around(context);
      await store.kill();
      const downMs = context.span(4_000, 180_000);
      await sleep(downMs);
      await store.start();
      return `down for ${downMs} ms`;
    },
  },
  {
    ...base,
    name: 'store-disk-full',
    summary: 'the disk of the store is full for a while; the store is killed while it is',
    causes: [],
    unavailable: (world) => (world.disks.store ? null : noDisk),
    async inject(context) {
      const { store } = around(context);
      const { disks } = context.world;
      disks.store?.fill();
      const fullMs = context.span(2_000, 30_000);
      await sleep(fullMs);
      const killed = context.random.chance(0.5);
      if (killed) await store.kill();
      disks.store?.empty();
      await store.start();
      return `full for ${fullMs} ms${killed ? ', then killed' : ''}`;
    },
  },
];
