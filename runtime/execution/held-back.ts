/**
 * Requests that are held back until there is room, in order. While the log is away senders go on asking, each on a connection of its own, so what is
 * held back has a bound: beyond it nothing is taken.
 */
import { limits } from '../limits.ts';
import type { AppendRequest } from '../stream/source-definition.ts';
import { eventCountOf } from './request-bytes.ts';

interface Held {
  readonly request: AppendRequest;
  readonly bytes: number;
}

/** What stood before the head is let go of when there is so much of it: a removal at the front of a long list costs as much as the list is long. */
const removedAtOnce = 1024;

export class HeldBack<Waiting extends Held> {
  #waiting: (Waiting | undefined)[] = [];
  #head = 0;
  #events = 0;
  #bytes = 0;

  get first(): Waiting | undefined {
    return this.#waiting[this.#head];
  }

  /**
   * Asked before a request and not with it: were a small one taken where a large one was refused, the later of an origin would carry its mark past the
   * earlier.
   */
  get isFull(): boolean {
    return this.#events >= limits.heldBackEventsMax || this.#bytes >= limits.heldBackBytesMax;
  }

  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#count(waiting, 1);
  }

  /** The first, if there is one. */
  shift(): Waiting | undefined {
    const { first } = this;
    if (!first) return undefined;
    this.#waiting[this.#head++] = undefined;
    this.#count(first, -1);
    if (this.#head >= removedAtOnce && this.#head * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Takes out those for which it is asked, wherever they stand. */
  remove(isOut: (waiting: Waiting) => boolean): Waiting[] {
    const [kept, out]: [Waiting[], Waiting[]] = [[], []];
    for (const waiting of this) (isOut(waiting) ? out : kept).push(waiting);
    if (out.length === 0) return out;
    this.#waiting = kept;
    this.#head = 0;
    for (const waiting of out) this.#count(waiting, -1);
    return out;
  }

  *[Symbol.iterator](): Generator<Waiting> {
    for (let at = this.#head; at < this.#waiting.length; at++) yield this.#waiting[at] as Waiting;
  }

  #count({ request, bytes }: Waiting, by: 1 | -1): void {
    // One without events is something that waits, too.
    this.#events += by * Math.max(1, eventCountOf(request));
    this.#bytes += by * bytes;
  }
}
