/** The versions of a topology that have run on a log: what each was, kept beside its checkpoints. */
import type { ObjectStore } from '../../bus/log.ts';
import type { Clock } from '../../clock.ts';
import { MachError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { TopologyNode } from '../../topology/ir/topology-node.ts';
import { type Manifest, manifestOf } from './manifest.ts';

const folder = 'topologies/';
const timeDigits = 16;
const current = 'version-started-last';

export interface TopologyVersion {
  readonly manifest: Manifest;
  /** As it was parsed; references such as `${env:X}` stand in it as text. */
  readonly ir: TopologyNode;
  /** Machine time at which it ran first, ms since the epoch. */
  readonly since: number;
}

/** Keeps the version that is about to run; the oldest beyond `limits.topologiesKept` go. */
export async function keepVersion(
  objects: ObjectStore,
  topology: BoundTopology,
  { partitions, clock }: { partitions: number; clock: Pick<Clock, 'now'> },
): Promise<void> {
  const names = await versionNames(objects);
  if (names.some((name) => name.endsWith(`-${topology.hash}`))) return;
  const since = Math.floor(clock.now());
  const version: TopologyVersion = { manifest: manifestOf(topology, { partitions }), ir: topology.ir, since };
  const name = `${folder}${String(since).padStart(timeDigits, '0')}-${topology.hash}`;
  await objects.put(name, Buffer.from(JSON.stringify(version)));
  for (const old of names.slice(0, Math.max(0, names.length + 1 - limits.topologiesKept))) await objects.delete(old);
}

export async function readVersion(objects: ObjectStore, hash: string): Promise<TopologyVersion | undefined> {
  const name = (await versionNames(objects)).find((one) => one.endsWith(`-${hash}`));
  const data = name === undefined ? undefined : await objects.get(name);
  return data && (JSON.parse(Buffer.from(data).toString()) as TopologyVersion);
}

/** Those that are kept, oldest first. */
export async function allVersions(objects: ObjectStore): Promise<TopologyVersion[]> {
  const versions: TopologyVersion[] = [];
  for (const name of await versionNames(objects)) {
    const data = await objects.get(name);
    if (data) versions.push(JSON.parse(Buffer.from(data).toString()) as TopologyVersion);
  }
  return versions;
}

/** What ran last, as far as the log knows. */
export async function lastVersion(objects: ObjectStore): Promise<TopologyVersion | undefined> {
  const hash = await startedLast(objects);
  return hash === undefined ? undefined : readVersion(objects, hash);
}

/** Hash of the version that was started last; undefined on a new log. Where the word of it is damaged, the one that came last. */
export async function startedLast(objects: ObjectStore): Promise<string | undefined> {
  try {
    const data = await objects.get(current);
    return data && Buffer.from(data).toString();
  } catch (error) {
    if (!(error instanceof MachError && error.code === 'MACH3007')) throw error;
    return (await versionHashes(objects)).at(-1);
  }
}

/** The first message is about to be handled by this version. */
export async function sayStarted(objects: ObjectStore, { hash }: Pick<BoundTopology, 'hash'>): Promise<void> {
  if ((await startedLast(objects)) !== hash) await objects.put(current, Buffer.from(hash));
}

/** Of the versions that are kept, oldest first. */
export async function versionHashes(objects: ObjectStore): Promise<string[]> {
  return (await versionNames(objects)).map((name) => name.slice(folder.length + timeDigits + 1));
}

/** Oldest first. */
async function versionNames(objects: ObjectStore): Promise<string[]> {
  return (await objects.list()).filter((name) => name.startsWith(folder)).sort();
}
