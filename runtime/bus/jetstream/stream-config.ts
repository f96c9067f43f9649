/** Makes a stream of JetStream from a specification, or checks that the one that exists is that. */
import {
  DiscardPolicy,
  JetStreamApiError,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { logErrors } from '../errors.ts';
import type { Durability, StreamSpec } from '../log.ts';
import type { Connection } from './connection.ts';

const durabilityKey = 'mach.durability';
export const streamNotFound = 10059;
const nameInUse = 10058;

/** Extra settings that streams of events do not need. */
export interface StreamExtras {
  /** Reads past the leader, for messages that never change once written. */
  readonly allowDirect?: boolean;
}

function configuration(spec: StreamSpec, extras: StreamExtras, serverVersion: string): Partial<StreamConfig> {
  const windowMs = Math.min(limits.duplicateWindowMs, spec.ageMaxMs ?? Number.POSITIVE_INFINITY);
  // Exempts the stream from syncing always. Servers before 2.12 do not know it, and replicated streams do not take it.
  const asynchronous = spec.durability === 'broker' && (spec.replicas ?? 1) === 1 && atLeast(serverVersion, 2, 12);
  return {
    name: spec.name,
    subjects: [...spec.subjects],
    description: spec.description ?? '',
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    num_replicas: spec.replicas ?? 1,
    max_age: nanos(spec.ageMaxMs ?? 0),
    max_bytes: spec.bytesMax ?? -1,
    max_msgs_per_subject: spec.latestOnly ? 1 : -1,
    duplicate_window: nanos(windowMs),
    // What was written must be what is read: no reads past the leader.
    allow_direct: extras.allowDirect ?? false,
    metadata: { [durabilityKey]: spec.durability },
    ...(asynchronous ? { persist_mode: PersistMode.Async } : {}),
  };
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function durabilityOf(config: StreamConfig): Durability {
  const recorded = config.metadata?.[durabilityKey];
  if (recorded === 'disk' || recorded === 'broker') return recorded;
  return config.persist_mode === PersistMode.Async ? 'broker' : 'disk';
}

function check(spec: StreamSpec, { config }: StreamInfo): void {
  const differ = (what: string, actual: unknown, wanted: unknown) =>
    logErrors.make('MACH3008', { stream: spec.name, what, actual: String(actual), wanted: String(wanted) });
  const actual = [...config.subjects].sort().join(' ');
  const wanted = [...spec.subjects].sort().join(' ');
  if (actual !== wanted) throw differ('subjects', actual, wanted);
  const durability = durabilityOf(config);
  if (durability !== spec.durability) throw differ('durability', durability, spec.durability);
  const latestOnly = config.max_msgs_per_subject === 1;
  if (latestOnly !== (spec.latestOnly ?? false)) throw differ('latestOnly', latestOnly, spec.latestOnly ?? false);
}

/** What a stream that is there was made from, as far as readers need it. */
export function specOf(config: StreamConfig): StreamSpec {
  return {
    name: config.name,
    subjects: config.subjects,
    durability: durabilityOf(config),
    latestOnly: config.max_msgs_per_subject === 1,
  };
}

export async function findStream(connection: Connection, name: string): Promise<StreamInfo | undefined> {
  try {
    return await connection.manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}

/** Rejects with MACH3008 (exists in another form) or MACH3016 (the server does not make it). */
export async function ensureStream(
  connection: Connection,
  given: StreamSpec,
  extras: StreamExtras = {},
): Promise<StreamInfo> {
  const replicas = given.replicas ?? connection.replicas;
  const spec = replicas === undefined ? given : { ...given, replicas };
  if (!/^[A-Za-z0-9_-]+$/.test(spec.name)) throw new Error(`not a stream name: ${spec.name}`);
  const wanted = configuration(spec, extras, connection.nats.info?.version ?? '0');
  try {
    return await connection.persist(async () => {
      const existing = await findStream(connection, spec.name);
      if (existing) return adapt(connection, spec, wanted, existing);
      try {
        return await connection.manager.streams.add(wanted as Partial<StreamConfig> & { name: string });
      } catch (error) {
        const made = error instanceof JetStreamApiError && error.code === nameInUse;
        const other = made ? await findStream(connection, spec.name) : undefined;
        if (!other) throw error;
        return adapt(connection, spec, wanted, other);
      }
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error;
    throw logErrors.make('MACH3016', { what: `stream ${spec.name}`, reason: messageOf(error) }, error);
  }
}

/** Retention may change over the life of a stream; what it holds may not. */
async function adapt(
  connection: Connection,
  spec: StreamSpec,
  wanted: Partial<StreamConfig>,
  existing: StreamInfo,
): Promise<StreamInfo> {
  check(spec, existing);
  const { config } = existing;
  const { description, max_age, max_bytes, duplicate_window, allow_direct } = wanted;
  const num_replicas = spec.replicas ?? config.num_replicas;
  const same =
    (config.description ?? '') === description &&
    config.max_age === max_age &&
    config.max_bytes === max_bytes &&
    config.duplicate_window === duplicate_window &&
    (config.allow_direct ?? false) === allow_direct &&
    config.num_replicas === num_replicas;
  if (same) return existing;
  const changed = { description, max_age, max_bytes, duplicate_window, allow_direct };
  const update = { ...changed, num_replicas } as Partial<StreamConfig>;
  return connection.manager.streams.update(spec.name, update);
}
