/** What a node of a stage is to the rest of the engine, whether it runs alone or fused with its neighbours. */
import type { Observable } from 'rxjs';
import type { Batch, Frame } from './frame.ts';
import { EventTimers, type KeyedStateSnapshot, type TimersSnapshot } from './keyed-state.ts';
import type { NodeView } from './state-view.ts';
import type { Progress } from './watermark.ts';

/** What a node did, since the topology began. */
export interface NodeCounts {
  in: number;
  out: number;
  filtered: number;
  late: number;
  dropped: number;
  dead: number;
}

export interface RunnerSnapshot {
  readonly states: Map<string, KeyedStateSnapshot>;
  readonly timers: TimersSnapshot;
  readonly inputs: readonly (readonly [string, Progress])[];
  readonly watermark: number;
  readonly idle: boolean;
  readonly forwarded: number;
  /** How far time had come before all that feeds it ended; absent where that has not been. */
  readonly passed?: number;
  readonly counts: NodeCounts;
}

export interface NodeRunner {
  readonly node: string;
  readonly counts: NodeCounts;
  /** Time spent in the operator itself, ms, since the process began. */
  readonly busyMs: number;
  readonly watermark: number;
  readonly stateKeys: number;
  readonly stateEvicted: number;
  /** The frames that leave by a port. */
  output(port: string): Observable<Frame>;
  /** Events come in by an input as if the node before it had sent them: dead letters that are redriven. */
  inject(input: string, batch: Batch): void;
  /** The wave is over: an operator with several inputs now handles what came. */
  flush(): void;
  /** How far its time has come, whether or not it has moved; after those that feed it. */
  sayAnew(): void;
  /** For who looks on, without a copy of the state. */
  view(): NodeView;
  snapshot(): RunnerSnapshot;
  restore(snapshot: RunnerSnapshot): void;
  /** All of the stage has been restored. */
  resume(): void;
}

export function emptyCounts(): NodeCounts {
  return { in: 0, out: 0, filtered: 0, late: 0, dropped: 0, dead: 0 };
}

export function statelessSnapshot(counts: NodeCounts, watermark: number): RunnerSnapshot {
  return {
    states: new Map(),
    timers: new EventTimers().snapshot(),
    inputs: [],
    watermark,
    idle: false,
    forwarded: watermark,
    counts: { ...counts },
  };
}
