/**
 * The log: named streams of messages in one total order. Two implementations: JetStream (`jetstream/`), and one in
 * memory with seeded faults (`memory/`). Everything above knows only this file.
 *
 * Every append has one of three outcomes: stored, refused, unknown. The implementations retry *unknown* themselves with
 * the same identity until `limits.appendDeadlineMs`; what reaches the caller is a stored position or an error.
 */

import { limits } from '../limits.ts';

export type Durability =
  /** Synced to disk before it is acknowledged. Survives power loss. */
  | 'disk'
  /**
   * Acknowledged once the broker has it in memory; it writes it down moments later. Survives the death of our process.
   * A broker that is killed, or loses power, may lose its last moments (a kill under full load lost up to 64 acknowledged
   * messages); a reader that had read them says so (MACH3006). For loads that can be asked for again.
   */
  | 'broker';

export interface StreamSpec {
  /** `[A-Za-z0-9_-]+` */
  readonly name: string;
  /** Subjects, NATS wildcards allowed. */
  readonly subjects: readonly string[];
  readonly durability: Durability;
  readonly description?: string;
  readonly ageMaxMs?: number;
  readonly bytesMax?: number;
  /** Only the newest message of each subject is kept. */
  readonly latestOnly?: boolean;
  /** Of a log that forgets what its readers have passed: appends wait while the slowest of them has more than this to read. */
  readonly unreadBytesMax?: number;
  readonly replicas?: number;
}

export interface AppendOptions {
  /** Two appends with one identity within the duplicate window are stored once. */
  readonly id?: string;
  /** Fence: the append is refused unless the last message of its subject has this sequence (0: none yet). */
  readonly expectedLastSubjectSequence?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * While the log has no room (`Log.problem`): `refuse` rejects at once with MACH3004, for whom a sender waits; `wait` (default) waits,
   * however long it takes.
   */
  readonly whenHeld?: 'wait' | 'refuse';
}

export interface Appended {
  /** Position in the stream, from 1. */
  readonly sequence: number;
  /** It had been stored before: this append was a repetition. */
  readonly duplicate: boolean;
}

/** A message that is turned into bytes where somebody needs them. Nobody changes its frame once it is appended. */
export interface LazyMessage {
  readonly frame: object;
  /** About so many bytes: what bounds are counted by where it is never encoded. */
  readonly length: number;
  bytes(): Uint8Array;
}

export type Payload = Uint8Array | LazyMessage;

export function bytesOf(payload: Payload): Uint8Array {
  return payload instanceof Uint8Array ? payload : payload.bytes();
}

export interface LogMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** As it was appended, where the log hands messages on. */
  readonly lazy?: LazyMessage;
  readonly headers: Readonly<Record<string, string>>;
  /** When the log stored it, ms since the epoch. For people; the engine never decides by it. */
  readonly storedAt: number;
}

/** Of a payload; about so many bytes where it was never encoded. */
export function lengthOf(message: LogMessage): number {
  return message.lazy?.length ?? message.payload.length;
}

export interface StreamState {
  /** Sequence of the oldest message kept (1 when empty and new). */
  readonly firstSequence: number;
  /** Sequence of the newest message ever stored (0: none). */
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface ReadOptions {
  readonly fromSequence: number;
  /** Only these subjects (wildcards allowed); all when absent. */
  readonly subjects?: readonly string[];
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Read ahead at most this many messages; the reader's pace holds the log back. */
  readonly readAheadMessages?: number;
}

export interface LogStream {
  readonly spec: StreamSpec;
  /** One message: `limits.frameBytesMax`, or less where the server allows less. */
  readonly messageBytesMax: number;
  /** Within one process: readers get lazy messages as they are, so that nothing is encoded. */
  readonly handsOn?: boolean;
  /** Rejects with MACH3001 (fenced), MACH3002 (unknown after the deadline), MACH3003 (too large), MACH3004 (stream full). */
  append(subject: string, payload: Payload, options?: AppendOptions): Promise<Appended>;
  /**
   * Messages from a position on, in order, without gaps, for ever. Survives reconnects. Throws MACH3005 when messages
   * from `fromSequence` on have been removed (age, purge) and MACH3006 when the stream is shorter than the position
   * (its storage was wiped): never a silent restart.
   */
  read(options: ReadOptions): AsyncIterable<LogMessage>;
  /** The newest message of a subject; wildcards allowed. */
  last(subject: string): Promise<LogMessage | undefined>;
  get(sequence: number): Promise<LogMessage | undefined>;
  state(): Promise<StreamState>;
}

/** Larger things by name, for checkpoints. A put replaces atomically: a reader sees the old or the new, never a mix. */
export interface ObjectStore {
  put(name: string, data: Uint8Array): Promise<void>;
  /** Rejects with MACH3007 when the stored bytes do not match their checksum. */
  get(name: string): Promise<Uint8Array | undefined>;
  list(): Promise<readonly string[]>;
  delete(name: string): Promise<void>;
}

/** Leases live in a small stream of ticks that are worth nothing when they are old. */
export const leaseStreamSpec = (group: string): StreamSpec => ({
  name: `mach-leases-${group}`,
  subjects: [`mach-lease.${group}.>`],
  durability: 'broker',
  description: `ticks of the leases of ${group}`,
  latestOnly: true,
  ageMaxMs: limits.leaseTickAgeMs,
});

export const leaseSubject = ({ group, name }: Pick<LeaseOptions, 'group' | 'name'>): string =>
  `mach-lease.${group}.${name}`;

export interface LeaseOptions {
  /** Leases that belong together: `[A-Za-z0-9_-]+`. */
  readonly group: string;
  /** What is leased: `[A-Za-z0-9_-]+`. */
  readonly name: string;
  /** Who asks, for people. */
  readonly member: string;
  /** From now on it is held, until `onLost` or `release`. */
  onHeld?(): void;
  /** It was not renewed for `limits.leaseMs`, or another has it. It goes on trying. */
  onLost?(reason: string): void;
}

/**
 * Who should do a thing that one member alone should do. It decides who tries, not who may write: a process that was stopped
 * for longer than the lease does not know that it is lost, so what it writes must be fenced.
 */
export interface Lease {
  readonly name: string;
  readonly held: boolean;
  /** Takes it from its holder, who is known to be dead: without this it is free only when it has run out. */
  evict(): Promise<void>;
  /** Stops trying, and gives it up at once if it is held. */
  release(): Promise<void>;
}

export interface Log {
  /** Tries for a lease from now on. Rejects when the log cannot do it. */
  lease(options: LeaseOptions): Promise<Lease>;
  /** Makes the stream, or checks that the one that exists has the same subjects and durability (MACH3008). */
  stream(spec: StreamSpec): Promise<LogStream>;
  /** A stream that is there, as it is; undefined when there is none of this name. Makes and changes nothing: for who only looks. */
  find(name: string): Promise<LogStream | undefined>;
  objects(bucket: string): Promise<ObjectStore>;
  /** Plain subjects, at most once: live loads to dispatchers, taps. */
  publish(subject: string, payload: Uint8Array): void;
  /** Bytes of one payload of them; absent: any number. */
  readonly publishBytesMax?: number;
  subscribe(subject: string, signal: AbortSignal): AsyncIterable<{ subject: string; payload: Uint8Array }>;
  /** Why nothing is appended now, though the broker is there (its disk is full), or null. */
  readonly problem?: string | null;
  /**
   * Whether a live connection subscribes to a plain subject. The broker knows at once when a process has died; one that is stopped, or
   * whose machine is gone without a word, still counts.
   */
  hasSubscriber(subject: string): Promise<boolean>;
  /** Rejects when the broker does not answer. Resolves with its name, version and what it promises about disks. */
  check(): Promise<{ server: string; version: string; syncAlways: boolean | undefined }>;
  close(): Promise<void>;
}
