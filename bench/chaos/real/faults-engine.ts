/** Faults of the engine's own process. */

import { setTimeout as sleep } from 'node:timers/promises';
import { connectLog } from '../../../runtime/bus/index.ts';
import { limits } from '../../../runtime/limits.ts';
import { stageName, topologyNames } from '../../../runtime/topology/names.ts';
import type { Worker } from './engine-process.ts';
import type { Fault, FaultContext } from './faults.ts';
import { sendPoison } from './poison.ts';
import { letAnotherTakeOver } from './two-owners.ts';

/** Where the engine may die; each stands in its code as `crashPoints.at(...)`. */
export const crashPointNames = [
  'source.before-append',
  'source.after-append',
  'stage.before-handle',
  'stage.after-handle',
  'output.before-append',
  'output.after-append',
  'sink.before-promise',
  'sink.after-promise',
  'sink.before-write',
  'sink.after-write',
  'checkpoint.before-put',
  'checkpoint.after-put',
] as const;

/** Longer than the wait between two checkpoints, and than the lease of an owner. */
const pointDeadlineMs = 9_000;

/** One that runs. */
async function victimOf({ world, random }: FaultContext): Promise<Worker> {
  const worker = random.pick(world.workers);
  await worker.untilRunning();
  return worker;
}

async function killAtPoint(context: FaultContext, point: string): Promise<string> {
  const worker = await victimOf(context);
  const { run } = worker;
  const visit = point.startsWith('checkpoint') ? 1 : context.random.int(1, 6);
  run.send({ kind: 'arm', point, visit });
  if (!(await worker.untilEnded(run, pointDeadlineMs))) {
    run.signal('SIGKILL');
    return `${point} was not visited within ${pointDeadlineMs} ms; killed where it stood`;
  }
  return `${point}, visit ${visit}`;
}

let nextPoint = 0;

/** They are taken every five seconds; a machine that is busy with much else takes longer. */
const checkpointDeadlineMs = 60_000;

/** Flips bytes of the newest checkpoint while the engine is down: it must pass it over, and take the one before. */
async function corruptCheckpoint({ world, random }: FaultContext): Promise<string> {
  const { workers, around } = world;
  if (!around) throw new Error('this fault is for the separate form');
  await world.untilRunning();
  const names = topologyNames('chaos');
  const log = await connectLog({ url: `nats://127.0.0.1:${around.log.port}` });
  try {
    const objects = await log.objects(names.checkpointBucket);
    const place = { stage: random.int(1, 2), partition: random.int(0, 1) };
    const prefix = names.checkpointPrefix(stageName(place.stage), place.partition);
    const checkpoints = async () => (await objects.list()).filter((name) => name.startsWith(prefix)).sort();
    const until = Date.now() + checkpointDeadlineMs;
    while ((await checkpoints()).length === 0) {
      if (Date.now() > until) throw new Error(`no checkpoint ${prefix} within ${checkpointDeadlineMs} ms`);
      await sleep(200);
    }
    // All of them: else another would have taken the partition before its checkpoint is corrupt.
    const killed = workers.map(({ run }) => run);
    for (const worker of workers) worker.hold();
    for (const run of killed) run.signal('SIGKILL');
    await Promise.all(killed.map(({ ended }) => ended));
    const newest = (await checkpoints()).at(-1);
    const data = newest && (await objects.get(newest));
    if (!newest || !data) throw new Error(`the checkpoint ${prefix} is gone again`);
    const bytes = Buffer.from(data);
    const half = random.chance(0.5);
    for (let flip = 0; flip < 8; flip++) {
      const place = random.int(0, bytes.length - 1);
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << random.int(0, 7)), place);
    }
    await objects.put(newest, half ? bytes.subarray(0, bytes.length >> 1) : bytes);
    for (const worker of workers) worker.release();
    await sleep(300);
    if (!(await world.untilRunning())) throw new Error('an engine did not come up with a corrupt checkpoint');
    // A worker runs as soon as another has what it wants: who has it may still be opening it.
    const hasPassed = () => workers.some(({ run }) => run.lines.some(({ msg }) => msg === 'checkpoint passed over'));
    const openUntil = Date.now() + checkpointDeadlineMs;
    while (!hasPassed() && Date.now() < openUntil) await sleep(200);
    if (!hasPassed()) throw new Error(`the corrupt checkpoint ${newest} was taken as if it were whole`);
    return `${newest} ${half ? 'cut in half' : 'with flipped bits'}: passed over`;
  } finally {
    for (const worker of workers) worker.release();
    await log.close();
  }
}

const heapLimitMib = 96;

async function nearHeapLimit(context: FaultContext): Promise<string> {
  const { world, span } = context;
  const worker = await victimOf(context);
  const before = worker.run;
  worker.next = { nodeArguments: [`--max-old-space-size=${heapLimitMib}`] };
  before.signal('SIGKILL');
  await before.ended;
  await sleep(300);
  await worker.untilRunning(20_000);
  const { run } = worker;
  world.strained.add(run.processId);
  run.send({ kind: 'fill', bytes: heapLimitMib * 1024 * 1024, stepMs: 60 });
  const died = await worker.untilEnded(run, span(4_000, 20_000));
  if (died) return `heap of ${heapLimitMib} MiB filled: it ended, and was started again`;
  run.signal('SIGKILL');
  return `heap of ${heapLimitMib} MiB filled: it went on until it was replaced`;
}

export const engineFaults: readonly Fault[] = [
  {
    name: 'worker-killed',
    summary: 'SIGKILL at a random moment',
    form: 'separate',
    lane: 'engine',
    causes: ['restart'],
    async inject(context) {
      const { run } = await victimOf(context);
      await sleep(context.random.int(0, 800));
      run.signal('SIGKILL');
      await run.ended;
      return 'SIGKILL';
    },
  },
  {
    name: 'worker-killed-at-point',
    summary: `SIGKILL at a named point: ${crashPointNames.join(', ')}`,
    form: 'separate',
    lane: 'engine',
    causes: ['restart', 'redelivery'],
    inject(context) {
      // In turn, so that a run that is long enough has been through all of them; the seed says where it begins.
      nextPoint ||= context.random.int(0, crashPointNames.length - 1);
      return killAtPoint(context, crashPointNames[nextPoint++ % crashPointNames.length] as string);
    },
  },
  {
    name: 'sink-killed-after-write',
    summary: 'SIGKILL between a committed insert and the word that it is done: the range comes again with its token',
    form: 'separate',
    lane: 'alone',
    causes: ['restart', 'deduplicated insert'],
    inject: (context) => killAtPoint(context, 'sink.after-write'),
  },
  {
    name: 'worker-paused',
    summary: 'SIGSTOP for longer than the lease, then SIGCONT',
    form: 'separate',
    lane: 'engine',
    causes: [],
    async inject(context) {
      const worker = await victimOf(context);
      const pausedMs = context.span(limits.leasePinMs + 1_500, 60_000);
      worker.pause();
      await sleep(pausedMs);
      worker.resume();
      return `stopped for ${pausedMs} ms`;
    },
  },
  {
    name: 'two-owners',
    summary: 'a second worker takes over while the first is stopped; then the first goes on',
    form: 'separate',
    lane: 'engine',
    causes: [],
    inject: letAnotherTakeOver,
  },
  {
    name: 'checkpoint-corrupt',
    summary: 'flipped bits or half of the newest checkpoint',
    form: 'separate',
    lane: 'alone',
    causes: ['restart', 'redelivery'],
    inject: corruptCheckpoint,
  },
  {
    name: 'heap-limit',
    summary: 'a small heap, filled until it dies or nearly',
    form: 'separate',
    lane: 'engine',
    causes: ['restart'],
    inject: nearHeapLimit,
  },
  {
    name: 'event-loop-blocked',
    summary: 'the event loop does nothing else for 5 s',
    form: 'separate',
    lane: 'engine',
    causes: [],
    async inject(context) {
      const { run } = await victimOf(context);
      const blocked = () => run.lines.some(({ msg }) => msg === 'chaos: event loop was blocked');
      const already = blocked();
      run.send({ kind: 'block', ms: 5_000 });
      await sleep(5_100);
      const until = Date.now() + 10_000;
      while (!already && !blocked() && run.isAlive && Date.now() < until) await sleep(50);
      return run.isAlive ? 'blocked for 5 s' : 'ended while it was blocked';
    },
  },
  {
    name: 'poison',
    summary: 'bad HL7, bad bytes, 2 MB, deep nesting, NaN, over all three sources',
    form: 'separate',
    lane: 'around',
    causes: [],
    async inject({ world }) {
      const sent = await sendPoison({ hl7Port: world.hl7.port, feedPort: world.feed.port, inbox: world.inbox });
      return `${sent} messages`;
    },
  },
];
