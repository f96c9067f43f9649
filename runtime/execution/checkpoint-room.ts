/** Room in the heap for the copy that a checkpoint makes of a state: it may be larger than the state, of which much stands in columns beside the heap. */
import { getHeapStatistics } from 'node:v8';
import { limits } from '../limits.ts';
import type { HeapRoom } from './heap-room.ts';

export class CheckpointRoom {
  private readonly keys: () => number;
  private keyBytes: number = limits.checkpointKeyBytes;
  /** Keeps no more room. */
  readonly close: () => void;

  /** `keys`: in the state now. */
  constructor(heap: HeapRoom, keys: () => number) {
    this.keys = keys;
    this.close = heap.reserve(() => keys() * this.keyBytes);
  }

  /** Makes the copy, and learns from it what a key takes. */
  copy(make: () => Uint8Array): Uint8Array {
    const before = getHeapStatistics().used_heap_size;
    const made = make();
    const bytes = getHeapStatistics().used_heap_size - before;
    const keys = this.keys();
    // Less than nothing: a collection came between, and nothing can be learnt.
    if (bytes > 0 && keys >= limits.checkpointKeysKnown) this.keyBytes = bytes / keys;
    return made;
  }
}
