/**
 * Checkpoints for another number of partitions, beside those of now until the number is changed: so whatever dies on the way leaves
 * one of the two whole. `cut/<partitions>/<sequence>/<stage>/<partition>`, and `cut/<partitions>/<sequence>/parts`, which names them all.
 */
import type { ObjectStore } from '../../bus/log.ts';
import type { TopologyNames } from '../../topology/names.ts';
import { listCheckpoints } from '../checkpoint.ts';
import type { Deployed } from './deployed-partitions.ts';

const folder = 'cut/';

export interface CutPart {
  readonly stage: string;
  readonly partition: number;
  readonly encoded: Uint8Array;
}

interface Place {
  readonly partitions: number;
  readonly cutAt: number;
}

const partsName = ({ partitions, cutAt }: Place) => `${folder}${partitions}/${cutAt}/parts`;
const partName = ({ partitions, cutAt }: Place, key: string) => `${folder}${partitions}/${cutAt}/${key}`;
const keyOf = ({ stage, partition }: Omit<CutPart, 'encoded'>) => `${stage}/${partition}`;

/** `beforeEach`: told before each write. */
export async function putCut(
  objects: ObjectStore,
  place: Place,
  parts: readonly CutPart[],
  beforeEach: () => void,
): Promise<void> {
  for (const part of parts) {
    beforeEach();
    await objects.put(partName(place, keyOf(part)), part.encoded);
  }
  beforeEach();
  await objects.put(partsName(place), Buffer.from(JSON.stringify(parts.map(keyOf))));
}

/** Of cuts that were broken off, or have been completed. What names the parts goes last. */
export async function forgetCuts(objects: ObjectStore): Promise<void> {
  const names = (await objects.list()).filter((name) => name.startsWith(folder));
  const isParts = (name: string) => name.endsWith('/parts');
  for (const name of names.filter((one) => !isParts(one))) await objects.delete(name);
  for (const name of names.filter(isParts)) await objects.delete(name);
}

/**
 * The number has been changed: the checkpoints that were cut for it take the place of those before. May be broken off and done again, by
 * several at once, and while an engine runs that has begun after it.
 */
export async function completeCut(
  objects: ObjectStore,
  names: TopologyNames,
  { partitions, cutAt }: Omit<Deployed, 'sequence'>,
): Promise<void> {
  if (partitions === undefined || cutAt === undefined) return;
  const place = { partitions, cutAt };
  const said = await objects.get(partsName(place));
  if (!said) return;
  const keys = new Set(JSON.parse(Buffer.from(said).toString()) as string[]);
  for (const key of keys) {
    const encoded = await objects.get(partName(place, key));
    const [stage = '', partition] = key.split('/');
    // Gone: another process has just done it.
    if (encoded) await objects.put(names.checkpointObject(stage, Number(partition), cutAt), encoded);
  }
  for (const { name, kind, sequence, ...part } of await listCheckpoints(objects)) {
    if (kind === 'kept' && (sequence < cutAt || !keys.has(keyOf(part)))) await objects.delete(name);
  }
  await forgetCuts(objects);
}
