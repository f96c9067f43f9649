/** A look into a stage that copies nothing but what is asked for: for questions to a running engine, whose state may be large. */
import type { StateKey } from './operator-state.ts';
import type { Progress } from './watermark.ts';

export interface NodeView {
  readonly watermark: number;
  readonly inputs: readonly (readonly [string, Progress])[];
  /** What each keyed state has of a key: the values themselves, to be read before anything else is handled. */
  entries(key: StateKey): readonly { readonly state: string; readonly value: unknown; readonly time: number }[];
  /** Timers of a key, so many at most. */
  timers(key: StateKey, countMax: number): readonly { readonly name: string; readonly time: number }[];
}

/** What an entry of a state tells to who looks on. */
export interface StateGlance {
  /** When the key was changed last, event time in ms; absent: that is not kept. */
  readonly changed?: number;
  /** When the key came; where `changed` is absent. */
  readonly since?: number;
  /** What it waits for beside its timers: event times, ms. */
  readonly waits: readonly { readonly name: string; readonly time: number }[];
}

/** `value` and `time`: as checkpoints have them. Undefined: the state is one whose time is that of its last change. */
export type GlanceAtState = (entry: {
  readonly state: string;
  readonly value: unknown;
  readonly time: number;
  readonly watermark: number;
}) => StateGlance | undefined;

export interface OriginView {
  readonly origin: string;
  readonly watermark: number;
  readonly idle: boolean;
}

export interface SourceView {
  readonly idle: boolean;
  /** The origin that is furthest behind: of those that are heard, or else of all. */
  slowest(): OriginView | undefined;
}

export interface StageView {
  node(id: string): NodeView | undefined;
  source(id: string): SourceView | undefined;
}

export function slowestOf(origins: Iterable<OriginView>): OriginView | undefined {
  let slowest: OriginView | undefined;
  for (const origin of origins) {
    const isSlower = !slowest || (origin.idle === slowest.idle ? origin.watermark < slowest.watermark : slowest.idle);
    if (isSlower) slowest = origin;
  }
  return slowest;
}
