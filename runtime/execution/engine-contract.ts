/** What an engine is to those around it, and what it is given. */
import type { Log, LogStream } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import type { CrashPoints } from '../faults.ts';
import type { ConnectorMetrics } from '../observe/connector-metrics.ts';
import type { Store } from '../store/store.ts';
import type { Logger } from '../stream/definition.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { SpreadPlan } from '../topology/spread.ts';
import type { WaitingSource } from './engine-sources.ts';
import type { HeapRoom } from './heap-room.ts';
import type { LogEnd } from './log-end.ts';
import type { LookupAsker } from './lookup-asker.ts';
import type { SinkRunner } from './sink-runner.ts';
import type { OpenSource } from './source-host.ts';
import type { StageRunner } from './stage-runner.ts';
import type { Unit } from './unit.ts';

export type { OpenSource };

export interface EngineOptions {
  readonly topology: BoundTopology;
  readonly log: Log;
  readonly store: Store;
  readonly logger: Logger;
  /** Engine time: idleness, and what connectors see. May run faster than the machine's. */
  readonly clock?: Clock;
  /** See `UnitArguments.admitStore`. */
  readonly admitStore?: () => Promise<void>;
  /** Time for checkpoints, retries and look-ups. */
  readonly machineClock?: Clock;
  readonly crashPoints?: CrashPoints;
  /** Default: that of the process. */
  readonly heap?: HeapRoom;
  readonly checkpointEveryMs?: number;
  /** Nodes (or `log`) whose state may be lost on this start. */
  readonly acceptLoss?: readonly string[];
  readonly replicas?: number;
  /** Partitions of the topology: fixed when it is first run (default 1). */
  readonly partitions?: number;
  /** Those to open at the start (default: all of them). */
  readonly units?: readonly number[];
  /**
   * Another owner has written for a partition of this engine, which must close its unit. Where nobody asks to be told, the engine
   * fails.
   */
  readonly onUnitTaken?: (partition: number, error: unknown) => void;
  /** Whether another worker may still have the port of a source: then one that does not open is tried again (default: never). */
  readonly isContested?: () => boolean;
  readonly groupCommitWindowMs?: number;
  /** Of the engine before this one in the same process: sources that stay open. */
  readonly handedOver?: HandedOver;
  /** No message is handled before this resolves, and the start does not wait for what is in the log; `begin` opens the sources then. */
  readonly held?: Promise<void>;
  /** A stage has come to the mark of a change, and handles nothing more before this resolves. Default: it goes on. */
  readonly onMark?: (mark: Mark) => Promise<void>;
  /** Opens none of its sources: an engine that only finishes what is in the log. */
  readonly withoutSources?: boolean;
}

/** The place in the input log between the last message of one version of the topology and the first of the next. */
export interface Mark {
  /** Of the change. */
  readonly id: string;
  readonly sequence: number;
}

/** What outlives an engine whose topology is changed: open sources, by id, and what connectors have counted. */
export interface HandedOver {
  readonly sources: ReadonlyMap<string, OpenSource>;
  readonly metrics: ConnectorMetrics;
}

export interface Engine {
  readonly topology: BoundTopology;
  readonly plan: SpreadPlan;
  /** The partitions that this engine runs. */
  readonly units: ReadonlyMap<number, Unit>;
  /** Takes a partition: restores it, catches up, and opens its share of the sources. */
  openUnit(partition: number): Promise<void>;
  /** Gives a partition up. `drain`: its senders are answered and a checkpoint is taken first, so that the next one begins where this one ends. */
  closeUnit(partition: number, how: { readonly drain: boolean }): Promise<void>;
  /** Sources (but those of `keep`) take nothing more in, and answer what they owe; everything else goes on. */
  closeSources(keep?: ReadonlySet<string>): Promise<void>;
  /** Opens those of its sources that are not open. */
  openSources(): Promise<void>;
  /** Of an engine that was held, once it has been let go: it is the one that runs, and opens its sources. */
  begin(): Promise<void>;
  /** Appends the mark of a change to the input log. */
  appendMark(id: string): Promise<Mark>;
  /** First stage of the first partition that it runs. */
  readonly stage: StageRunner;
  readonly sources: readonly OpenSource[];
  /** Sources of its partitions that do not open yet; everything else of those partitions goes on. */
  readonly waitingSources: readonly WaitingSource[];
  /** Of the first partition that writes to each. */
  readonly sinks: ReadonlyMap<string, SinkRunner>;
  readonly lookups: LookupAsker;
  readonly metrics: ConnectorMetrics;
  readonly input: LogStream;
  /** Of `input`, for who looks on. */
  readonly inputEnd: LogEnd;
  /** Why the log takes nothing now (its disk is full), or null. */
  readonly logProblem: string | null;
  readonly heap: Pick<HeapRoom, 'liveBytes' | 'limitBytes'>;
  /** Why the stages handle nothing now (MACH3254), or null. */
  readonly heapProblem: string | null;
  readonly startedAt: number;
  readonly state: EngineState;
  /** Resolves with the error when the engine cannot go on; never rejects. */
  readonly failed: Promise<unknown>;
  /** Every message accepted so far has been handled and its rows are written. */
  settled(signal?: AbortSignal): Promise<void>;
  /** The accounts have all of what was accepted so far: where several workers run the topology, those of the one that keeps them. */
  accounted(signal?: AbortSignal): Promise<void>;
  /**
   * Sources stop taking in and answer what they owe; what is in the log is handled, written and checkpointed. Rejects with MACH3206
   * after `deadlineMs` (default `limits.drainDeadlineMs`); what is left then is handled after the next start.
   */
  drain(deadlineMs?: number): Promise<void>;
  /**
   * Ends so that another engine can go on: sources but those of `keep` are closed, all partitions handle the log up to the mark of the
   * change and no further (`onMark` holds them there), the sinks of `finish` have written all of it, and a checkpoint stands exactly there.
   * Rejects with MACH3206 after `deadlineMs`, or when `signal` aborts; then, too, everything but the sources of `keep` is closed.
   */
  handOver(args: HandOverArguments): Promise<HandedOver>;
  /** Ends at once, as a crash would but for open files. */
  stop(): Promise<void>;
}

export interface HandOverArguments {
  readonly keep: ReadonlySet<string>;
  readonly finish: ReadonlySet<string>;
  /** Where it ends; asked once nothing comes any more of the sources that are closed. */
  mark(): Promise<Pick<Mark, 'sequence'>>;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export type EngineState = 'starting' | 'running' | 'draining' | 'stopped' | 'failed';
