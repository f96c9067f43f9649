/** Checkpoints of a stage: its state and the input sequence it stands at, with a checksum, in the object store of the log. */
import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { ObjectStore } from '../bus/log.ts';
import { isUnanswered } from '../bus/unanswered.ts';
import { type Clock, systemClock } from '../clock.ts';
import { engineVersion } from '../engine-version.ts';
import { messageOf } from '../errors.ts';
import type { CrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { ByteReader, ByteWriter } from '../stream/codec.ts';
import type { Logger } from '../stream/definition.ts';
import type { TopologyNames } from '../topology/names.ts';
import { checkpointHistory } from './checkpoint-history.ts';
import { executionErrors } from './errors.ts';
import {
  fromPlainSnapshot,
  type PackedSnapshot,
  type PlainSnapshot,
  packSnapshot,
  unpackSnapshot,
} from './pack-snapshot.ts';
import type { StageSnapshot } from './stage-machine.ts';
import type { NodeIdentities } from './upgrade/state-identity.ts';

/** 1: the snapshot as it is; 2: packed (see `pack-snapshot.ts`); 3: keys that are texts are packed as well. */
const formatVersion = 3;
const magic = 'MACHCP';

export interface CheckpointHead {
  readonly topology: string;
  readonly hash: string;
  /** What each node with state was made of; a node whose fingerprint has changed cannot take its old state. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** What the state of each node is, and what feeds it; absent in old ones. */
  readonly nodes?: NodeIdentities;
  readonly sequence: number;
  /** Of the input log that it was made of, see `log-beginning.ts`; absent: 0. */
  readonly beginning?: number;
  /** Of a later stage: where it goes on in what the stages pass to each other. */
  readonly readFrom?: number;
  /** Of the host that wrote it: for people. */
  readonly node: string;
  /** How many partitions the stage ran with; absent: one. */
  readonly partitions?: number;
  /** Groups of keys that are in partitions as a whole; absent in old ones, which gave each key a partition by itself. */
  readonly keyGroups?: number;
  /** Input sequence at which the state was last cut for another number of partitions. */
  readonly cutAt?: number;
  /** What the state of each node hangs on, all that is above it included (see `deepFingerprintsOf`); absent in old ones. */
  readonly deepFingerprints?: Readonly<Record<string, string>>;
  /** Machine time, ms since the epoch; absent in old ones. */
  readonly takenAt?: number;
  /** Version of the engine; absent in old ones. */
  readonly engine?: string;
}

export interface Checkpoint {
  readonly head: CheckpointHead;
  readonly snapshot: StageSnapshot;
}

/** Where an object of the bucket stands among the checkpoints. */
export interface CheckpointPlace {
  /** Of the object. */
  readonly name: string;
  /** The newest few, from which an engine starts; the thinned history; or those that somebody named. */
  readonly kind: 'kept' | 'history' | 'named';
  readonly label?: string;
  readonly stage: string;
  readonly partition: number;
  readonly sequence: number;
}

const placePattern =
  /^(?:(?<history>history)\/|named\/(?<label>[^/]+)\/)?(?<stage>s\d+)\/(?<partition>\d+)\/(?<sequence>\d+)(?:-(?<takenAt>\d+))?$/;

/** Every checkpoint of a bucket, by name. Other objects are passed over. */
export async function listCheckpoints(objects: ObjectStore): Promise<CheckpointPlace[]> {
  return (await objects.list()).flatMap((name): CheckpointPlace[] => {
    const parts = placePattern.exec(name)?.groups;
    if (!parts) return [];
    const { history, label, stage = '', partition, sequence } = parts;
    const kind = label !== undefined ? 'named' : history ? 'history' : 'kept';
    const place = { name, kind, stage, partition: Number(partition), sequence: Number(sequence) } as const;
    return [label === undefined ? place : { ...place, label }];
  });
}

/** Must be called between two messages: the snapshot shares the values of the state until it has been encoded here. */
export function encodeCheckpoint({ head, snapshot }: Checkpoint): Uint8Array {
  const body = serialize(packSnapshot(snapshot));
  const writer = new ByteWriter(body.length + 4_096);
  writer.text(magic);
  writer.uint8(formatVersion);
  writer.text(JSON.stringify({ ...head, bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') }));
  writer.bytes(body);
  return writer.take();
}

/** Throws MACH3204: a checkpoint is used whole or not at all. Its own checksum is compared whatever the bucket has compared: that says what was put there, not that it is a checkpoint as it was made. */
export function decodeCheckpoint(name: string, data: Uint8Array): Checkpoint {
  const fail = (reason: string, cause?: unknown) => executionErrors.make('MACH3204', { name, reason }, cause);
  try {
    const reader = new ByteReader(data);
    if (reader.text() !== magic) throw fail('it is not a checkpoint');
    const version = reader.uint8();
    if (version < 1 || version > formatVersion)
      throw fail(`its format is ${version}; this engine reads 1 to ${formatVersion}`);
    const head = JSON.parse(reader.text()) as CheckpointHead & { bytes: number; sha256: string };
    const body = reader.bytes(head.bytes);
    if (createHash('sha256').update(body).digest('hex') !== head.sha256) throw fail('its checksum is wrong');
    const kept: unknown = deserialize(body);
    return {
      head,
      snapshot: version === 1 ? fromPlainSnapshot(kept as PlainSnapshot) : unpackSnapshot(kept as PackedSnapshot),
    };
  } catch (error) {
    throw error instanceof RangeError || error instanceof SyntaxError ? fail(messageOf(error), error) : error;
  }
}

export interface CheckpointStore {
  /** Must be called between two messages of the stage. */
  encode(checkpoint: Checkpoint): Uint8Array;
  put(sequence: number, encoded: Uint8Array): Promise<void>;
  /** As `put`, and no other is left: they belong to a log that is gone. */
  replaceAll(sequence: number, encoded: Uint8Array): Promise<void>;
  /** The newest that can be used; those that are damaged are logged and passed over. Rejects where the log does not answer. */
  load(): Promise<Checkpoint | undefined>;
}

export function checkpointStore(args: {
  objects: ObjectStore;
  names: TopologyNames;
  stage: string;
  partition: number;
  logger: Logger;
  crashPoints: CrashPoints;
  /** For the times of the history; the machine's when absent. */
  clock?: Pick<Clock, 'now'>;
}): CheckpointStore {
  const { objects, names, stage, partition, logger, crashPoints } = args;
  const clock = args.clock ?? systemClock();
  const prefix = names.checkpointPrefix(stage, partition);
  const history = checkpointHistory(objects, prefix);

  const newestFirst = async () =>
    (await objects.list())
      .filter((name) => name.startsWith(prefix))
      .sort()
      .reverse();

  return {
    encode: ({ head, snapshot }) =>
      encodeCheckpoint({ head: { ...head, takenAt: clock.now(), engine: engineVersion }, snapshot }),
    async put(sequence, encoded) {
      crashPoints.at('checkpoint.before-put');
      const name = names.checkpointObject(stage, partition, sequence);
      await objects.put(name, encoded);
      crashPoints.at('checkpoint.after-put');
      for (const old of (await newestFirst()).slice(limits.checkpointsKept)) await objects.delete(old);
      // The checkpoint itself stands, with or without a copy for later.
      await history.offer(name, encoded, clock.now()).catch((error) => {
        logger.warn({ checkpoint: name, error: messageOf(error) }, 'not kept in the history of checkpoints');
      });
    },
    async replaceAll(sequence, encoded) {
      const kept = names.checkpointObject(stage, partition, sequence);
      await objects.put(kept, encoded);
      for (const old of await newestFirst()) if (old !== kept) await objects.delete(old);
      await history.clear();
    },
    async load() {
      for (const name of await newestFirst()) {
        try {
          const data = await objects.get(name);
          if (data) return decodeCheckpoint(name, data);
        } catch (error) {
          // Nothing is known of it. Were all passed over, the state would begin anew on a log whose first messages have gone with their age.
          if (isUnanswered(error)) throw error;
          logger.warn({ checkpoint: name, error: messageOf(error) }, 'checkpoint passed over');
        }
      }
      return undefined;
    },
  };
}
