/**
 * Checkpoints that somebody named: copies of the newest of every stage and partition, kept until they are deleted. An engine starts from one
 * after it has been restored; what it then does again is dropped where the log has it already, so that no result comes twice.
 */
import type { Log, ObjectStore } from '../../bus/log.ts';
import { engineVersion } from '../../engine-version.ts';
import { messageOf } from '../../errors.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { stageName, type TopologyNames, topologyNames } from '../../topology/names.ts';
import { decodeCheckpoint, listCheckpoints } from '../checkpoint.ts';
import { firstStage, inputPartition } from '../streams.ts';
import { refusedLosses, stateVerdicts } from '../upgrade/adopt.ts';
import { type KeptCheckpoint, newestCheckpoints } from '../upgrade/checkpoints.ts';
import { replayErrors } from './errors.ts';
import { replayLimits } from './limits.ts';

const labelPattern = /^[a-z0-9][a-z0-9_.-]{0,63}$/i;

export interface NamedPart {
  readonly stage: string;
  readonly partition: number;
  readonly sequence: number;
  readonly bytes: number;
}

export interface NamedCheckpoint {
  readonly name: string;
  readonly topology: string;
  /** ms since the epoch. */
  readonly savedAt: number;
  /** When its state was taken; null where the engine did not say. */
  readonly takenAt: number | null;
  /** Input sequence that all of it has handled. */
  readonly sequence: number;
  readonly bytes: number;
  /** Version that took it, and of the topology that ran. */
  readonly engine: string;
  readonly hash: string;
  readonly partitions: number;
  /** Of the log that it belongs to; null where the log has no name yet. */
  readonly incarnation: string | null;
  readonly parts: readonly NamedPart[];
}

export interface ListedCheckpoint extends NamedCheckpoint {
  /** Why the topology cannot start from it, or null. */
  readonly misfit: string | null;
}

export interface NamedCheckpoints {
  /** Rejects with MACH3234 (no name), MACH3241 (exists) and MACH3242 (there is nothing to save). */
  save(name: string, now: number): Promise<NamedCheckpoint>;
  /** Oldest first; with whether `topology` can start from each. */
  list(topology: BoundTopology): Promise<ListedCheckpoint[]>;
  /** Rejects with MACH3240 and MACH3243. Gives the checkpoints that it took the place of. */
  restore(name: string, topology: BoundTopology): Promise<{ restored: NamedCheckpoint; replaced: readonly string[] }>;
  /** Rejects with MACH3240. */
  delete(name: string): Promise<void>;
}

const manifestOf = (name: string) => `named/${name}/manifest`;

export async function openNamedCheckpoints({
  log,
  topology,
}: {
  log: Log;
  topology: string;
}): Promise<NamedCheckpoints> {
  const names = topologyNames(topology);
  const objects = await log.objects(names.checkpointBucket);

  async function read(name: string): Promise<NamedCheckpoint> {
    const data = labelPattern.test(name) ? await objects.get(manifestOf(name)) : undefined;
    if (!data) throw replayErrors.make('MACH3240', { name, topology });
    return JSON.parse(Buffer.from(data).toString()) as NamedCheckpoint;
  }

  async function all(): Promise<NamedCheckpoint[]> {
    const found = (await objects.list()).flatMap((object) => /^named\/([^/]+)\/manifest$/.exec(object)?.[1] ?? []);
    const checkpoints: NamedCheckpoint[] = [];
    for (const name of found) checkpoints.push(await read(name));
    return checkpoints.sort((a, b) => a.savedAt - b.savedAt);
  }

  return {
    async save(name, now) {
      checkLabel(name);
      const known = await all();
      if (known.some((one) => one.name === name)) throw replayErrors.make('MACH3241', { name });
      if (known.length >= replayLimits.namedCheckpointsMax) {
        const reason = `there are ${known.length} already (namedCheckpointsMax)`;
        throw replayErrors.make('MACH3242', { topology, reason });
      }
      const newest = await newestOfEach(objects, topology);
      for (const { place, data } of newest) await objects.put(partName(name, place), data);
      const saved = manifest(name, { topology, now, newest, incarnation: await incarnationIn(log, names) });
      // Last, and whole or not at all: it is what makes the checkpoint.
      await objects.put(manifestOf(name), Buffer.from(JSON.stringify(saved)));
      return saved;
    },
    async list(bound) {
      const state = await stateOf(log, names);
      const listed: ListedCheckpoint[] = [];
      for (const one of await all()) listed.push({ ...one, misfit: await misfitOf(one, { objects, bound, state }) });
      return listed;
    },
    async restore(name, bound) {
      const restored = await read(name);
      const state = await stateOf(log, names);
      const misfit = await misfitOf(restored, { objects, bound, state });
      if (misfit !== null) throw replayErrors.make('MACH3243', { name, reason: misfit });
      return { restored, replaced: await putBack(restored, { objects, names }) };
    },
    async delete(name) {
      const { parts } = await read(name);
      await objects.delete(manifestOf(name));
      for (const part of parts) await objects.delete(partName(name, part));
    },
  };
}

/** Throws MACH3234. */
function checkLabel(name: string): void {
  if (labelPattern.test(name)) return;
  const rule = 'a letter or digit, then letters, digits, dots, dashes and underscores, 64 at most';
  throw replayErrors.make('MACH3234', { name, what: 'a checkpoint', rule });
}

function partName(name: string, { stage, partition, sequence }: Pick<NamedPart, 'stage' | 'partition' | 'sequence'>) {
  return `named/${name}/${stage}/${partition}/${String(sequence).padStart(16, '0')}`;
}

/** The newest that can be read of every stage and partition. */
async function newestOfEach(objects: ObjectStore, topology: string): Promise<KeptCheckpoint[]> {
  const all = await newestCheckpoints(objects);
  const [first] = all;
  if (!first) throw replayErrors.make('MACH3242', { topology, reason: 'it has not taken one yet' });
  const kept = (await listCheckpoints(objects)).filter(({ kind }) => kind === 'kept');
  const missing = new Set(kept.map(({ stage, partition }) => `${stage}/${partition}`));
  for (const { place } of all) missing.delete(`${place.stage}/${place.partition}`);
  if (missing.size === 0) return all;
  throw replayErrors.make('MACH3242', { topology, reason: `none of ${[...missing].join(', ')} can be read` });
}

function manifest(
  name: string,
  {
    topology,
    now,
    newest,
    incarnation,
  }: {
    topology: string;
    now: number;
    newest: readonly KeptCheckpoint[];
    incarnation: string | null;
  },
): NamedCheckpoint {
  const parts = newest.map(({ place: { stage, partition, sequence }, data }) => {
    return { stage, partition, sequence, bytes: data.length };
  });
  const [first] = newest as [KeptCheckpoint, ...KeptCheckpoint[]];
  const taken = newest.flatMap(({ checkpoint: { head } }) => (head.takenAt === undefined ? [] : [head.takenAt]));
  return {
    name,
    topology,
    savedAt: now,
    takenAt: taken.length === 0 ? null : Math.min(...taken),
    sequence: Math.min(...parts.map(({ sequence }) => sequence)),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    engine: first.checkpoint.head.engine ?? engineVersion,
    hash: first.checkpoint.head.hash,
    partitions: first.checkpoint.head.partitions ?? 1,
    incarnation,
    parts,
  };
}

interface LogNow {
  readonly first: number;
  readonly last: number;
  readonly incarnation: string | null;
}

async function stateOf(log: Log, names: TopologyNames): Promise<LogNow> {
  const input = await log.find(names.inputStream(stageName(1)));
  const state = await input?.state();
  return {
    first: state?.firstSequence ?? 1,
    last: state?.lastSequence ?? 0,
    incarnation: await incarnationIn(log, names),
  };
}

/** The name that the log has given itself, without making one. */
async function incarnationIn(log: Log, names: TopologyNames): Promise<string | null> {
  const promises = await log.find(names.sinkStream);
  const known = await promises?.last(names.sinkSubject('_incarnation', firstStage, inputPartition));
  return known ? Buffer.from(known.payload).toString() : null;
}

async function misfitOf(
  { name, parts, partitions, sequence, incarnation }: NamedCheckpoint,
  { objects, bound, state }: { objects: ObjectStore; bound: BoundTopology; state: LogNow },
): Promise<string | null> {
  if (incarnation !== null && state.incarnation !== null && incarnation !== state.incarnation) {
    return 'it belongs to a log that is gone';
  }
  if (sequence > state.last) return `the log ends at ${state.last}, before it`;
  if (sequence + 1 < state.first) return `the log begins at ${state.first}: what came after the checkpoint is gone`;
  const places = new Set(parts.map(({ stage, partition }) => `${stage}/${partition}`));
  const kept = (await listCheckpoints(objects)).filter(({ kind }) => kind === 'kept');
  if (kept.some(({ stage, partition }) => !places.has(`${stage}/${partition}`))) {
    return `it was taken with ${partitions} partitions, and the topology runs with more now`;
  }
  for (const part of parts) {
    try {
      const data = await objects.get(partName(name, part));
      if (!data) return `its part ${part.stage}/${part.partition} is missing`;
      const { head } = decodeCheckpoint(name, data);
      const lost = refusedLosses(stateVerdicts(head, bound), new Set());
      if (lost.length > 0) return `the state of ${lost.map(({ node }) => node).join(', ')} would be lost`;
    } catch (error) {
      return messageOf(error);
    }
  }
  return null;
}

/** In place of the newest, which an engine would start from. */
async function putBack(
  { name, parts }: NamedCheckpoint,
  { objects, names }: { objects: ObjectStore; names: TopologyNames },
): Promise<string[]> {
  for (const part of parts) {
    const data = await objects.get(partName(name, part));
    if (!data)
      throw replayErrors.make('MACH3243', { name, reason: `its part ${part.stage}/${part.partition} is missing` });
    await objects.put(names.checkpointObject(part.stage, part.partition, part.sequence), data);
  }
  const replaced: string[] = [];
  for (const place of await listCheckpoints(objects)) {
    const part = parts.find(({ stage, partition }) => stage === place.stage && partition === place.partition);
    if (place.kind !== 'kept' || !part || place.sequence <= part.sequence) continue;
    await objects.delete(place.name);
    replaced.push(place.name);
  }
  return replaced;
}
