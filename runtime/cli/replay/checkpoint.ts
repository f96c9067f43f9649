/** `mach checkpoint`. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../bus/log.ts';
import { wallTime } from '../../clock.ts';
import { counted } from '../../counted.ts';
import { messageOf } from '../../errors.ts';
import { replayErrors } from '../../execution/replay/errors.ts';
import { type ListedCheckpoint, type NamedCheckpoint, openNamedCheckpoints } from '../../execution/replay/named.ts';
import { limits } from '../../limits.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import type { CommandContext } from '../context.ts';
import { findRuns } from '../run-file.ts';
import { withLog } from './open.ts';

export interface CheckpointFlags {
  readonly data: string;
  readonly json?: true;
}

interface Asked {
  readonly file: string;
  readonly name: string;
  readonly flags: CheckpointFlags;
  readonly context: CommandContext;
}

export async function saveCheckpoint({ file, name, flags, context }: Asked): Promise<void> {
  const topology = await context.loadTopology(file);
  const isFresh = await askEngine(topology, flags, context);
  await withLog(flags.data, context, async ({ log }) => {
    const named = await openNamedCheckpoints({ log, topology: topology.name });
    const saved = await named.save(name, wallTime());
    if (flags.json) context.print(JSON.stringify({ ...toJson(saved), fresh: isFresh }));
    else context.print(`saved ${describe(saved)}`);
  });
}

export async function listNamedCheckpoints({ file, flags, context }: Omit<Asked, 'name'>): Promise<void> {
  const topology = await context.loadTopology(file);
  await withLog(flags.data, context, async ({ log }) => {
    const named = await openNamedCheckpoints({ log, topology: topology.name });
    const listed = await named.list(topology);
    if (flags.json) return context.print(JSON.stringify({ checkpoints: listed.map(listedToJson) }, null, 2));
    if (listed.length === 0) context.print(`There are no named checkpoints of ${topology.name}.`);
    for (const one of listed) {
      const isSame = one.hash === topology.hash ? 'this topology' : `topology ${one.hash.slice(0, 8)}`;
      context.print(`${describe(one)}  engine ${one.engine}  ${isSame}  ${one.misfit ?? 'fits'}`);
    }
  });
}

export async function restoreCheckpoint({ file, name, flags, context }: Asked): Promise<void> {
  const topology = await context.loadTopology(file);
  await withLog(flags.data, context, async ({ log, isOwn }) => {
    if (!isOwn) await refuseWhileRunning({ log, topology, name, directory: flags.data });
    const named = await openNamedCheckpoints({ log, topology: topology.name });
    const now = wallTime();
    const before = await keepCurrent(named, now);
    const { restored, replaced } = await named.restore(name, topology);
    if (flags.json) return context.print(JSON.stringify({ ...toJson(restored), replaced: replaced.length, before }));
    context.print(`restored ${describe(restored)}`);
    if (before) context.print(`what was newest before is kept as ${before}`);
    context.print('The next start goes on from there. What is out already is neither written again nor changed.');
  });
}

export async function deleteCheckpoint({ file, name, flags, context }: Asked): Promise<void> {
  const topology = await context.loadTopology(file);
  await withLog(flags.data, context, async ({ log }) => {
    const named = await openNamedCheckpoints({ log, topology: topology.name });
    await named.delete(name);
    context.print(flags.json ? JSON.stringify({ deleted: name }) : `deleted ${name}`);
  });
}

/** True when an engine that runs here has taken one now; else the newest that there is must do, and it is said. */
async function askEngine(
  topology: BoundTopology,
  { data, json }: CheckpointFlags,
  context: CommandContext,
): Promise<boolean> {
  const run = (await findRuns(data)).find((one) => one.topology === topology.name);
  if (!run) return false;
  try {
    const signal = AbortSignal.timeout(limits.drainDeadlineMs);
    const response = await fetch(`${run.url}/checkpoint`, { method: 'POST', signal });
    if (response.ok) return true;
    throw new Error(`it answered ${response.status}: ${await response.text()}`);
  } catch (error) {
    if (!json) context.printError(`The engine took no checkpoint now (${messageOf(error)}); its newest one is saved.`);
    return false;
  }
}

/** Workers say in the log that they live; an engine of this machine has its file. Rejects with MACH3243. */
async function refuseWhileRunning(args: {
  log: Log;
  topology: BoundTopology;
  name: string;
  directory: string;
}): Promise<void> {
  const { log, topology, name, directory } = args;
  const refuse = (who: string) => {
    throw replayErrors.make('MACH3243', { name, reason: `${who} runs ${topology.name}; end it first` });
  };
  const run = (await findRuns(directory)).find((one) => one.topology === topology.name);
  if (run) refuse(`process ${run.processId}`);
  const workers = await log.find(topologyNames(topology.name).workerStream);
  if (!workers) return;
  const before = (await workers.state()).lastSequence;
  await sleep(limits.workerSilentMs);
  if ((await workers.state()).lastSequence > before) refuse('a worker');
}

/** The way back. */
async function keepCurrent(
  named: Awaited<ReturnType<typeof openNamedCheckpoints>>,
  now: number,
): Promise<string | null> {
  const digits = new Date(now).toISOString().replace(/\D/g, '');
  const name = `before-restore-${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
  try {
    return (await named.save(name, now)).name;
  } catch (error) {
    // There is none to keep: the first start is still to come, or all were damaged.
    if ((error as { code?: string }).code === 'MACH3242') return null;
    throw error;
  }
}

function describe({ name, sequence, bytes, savedAt, parts }: NamedCheckpoint): string {
  const size = bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${name}  ${new Date(savedAt).toISOString()}  at ${sequence}  ${size}  ${counted(parts.length, 'part')}`;
}

function toJson({ savedAt, takenAt, ...rest }: NamedCheckpoint) {
  const isoTime = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  return { ...rest, saved_at: isoTime(savedAt), taken_at: isoTime(takenAt) };
}

function listedToJson({ misfit, ...checkpoint }: ListedCheckpoint) {
  return { ...toJson(checkpoint), fits: misfit === null, misfit };
}
