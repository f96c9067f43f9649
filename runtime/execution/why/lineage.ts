/** Where an event of an edge comes from: what came in, which state was looked at, and who had put that state there. */
import type { StateKey } from '../../stream/operator-state.ts';
import type { Event } from '../../stream/schema.ts';
import type { NodePort } from '../../topology/bound.ts';

/** A place in the input stream: a message, and the event in it that had gone in last; -1 where it brought none (silence, answers). */
export interface Moment {
  /** The source; of answers, the node that had asked. */
  readonly node: string;
  readonly sequence: number;
  readonly at: number;
}

/** An event as a source accepted it, or as it was when it went in again. `at`: its index in the message. */
export interface SourceLineage {
  readonly kind: 'source';
  readonly node: string;
  readonly sequence: number;
  readonly at: number;
  readonly event: Event;
  readonly time: number;
  /** Of a dead letter of an operator or a sink: the edge on which it went in again. */
  readonly edge?: NodePort;
}

/** An event that a node sent. */
export interface DerivedLineage {
  readonly kind: 'derived';
  readonly node: string;
  readonly port: string;
  readonly event: Event;
  readonly time: number;
  readonly moment: Moment;
  readonly reason: Reason;
  readonly cells: readonly CellUse[];
  /** Of a look-up: the messages that brought its answer, without which nothing comes out; one that was asked before the walk has none. */
  readonly answers?: readonly Moment[];
}

export type Lineage = SourceLineage | DerivedLineage;

/** What made a node act. `from` is undefined where the event had waited in the state since before the walk. */
export type Reason =
  | { readonly kind: 'event'; readonly input: string; readonly from: Lineage | undefined }
  | {
      readonly kind: 'timer';
      readonly key: StateKey;
      readonly name: string;
      readonly time: number;
      readonly setBy: Touch | undefined;
    }
  | { readonly kind: 'time'; readonly time: number };

/** The state of one key, as a node looked at it when it sent something. */
export interface CellUse {
  readonly state: string;
  readonly key: StateKey;
  /** The newest change of it before; undefined: there was none since the walk began. */
  readonly head: Touch | undefined;
  readonly existed: boolean;
}

/** A change of the state of one key. They hang together, the newest first, since the key last had no state. */
export interface Touch {
  readonly moment: Moment;
  readonly reason: Reason;
  readonly previous: Touch | undefined;
  readonly first: Touch;
  /** The key had no state before the first. */
  readonly whole: boolean;
}
