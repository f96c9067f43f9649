/** Room in the heap for the copy that a checkpoint makes of a state: it may be larger than the state, of which much stands in columns beside the heap. */
import { getHeapStatistics } from 'node:v8';
import { limits } from '../limits.ts';
import type { HeapRoom } from './heap-room.ts';

export class CheckpointRoom {
  private readonly keys: () => number;
  private readonly usedBytes: () => number;
  private keyBytes: number = limits.checkpointKeyBytes;
  /** Keeps no more room. */
  readonly close: () => void;

  /** `keys`: in the state now. `usedBytes`: of the heap, garbage included. */
  constructor(heap: HeapRoom, keys: () => number, usedBytes = () => getHeapStatistics().used_heap_size) {
    this.keys = keys;
    this.usedBytes = usedBytes;
    this.close = heap.reserve(() => keys() * this.keyBytes);
  }

  /** Makes the copy, and learns from it what a key takes. */
  copy(make: () => Uint8Array): Uint8Array {
    const before = this.usedBytes();
    const made = make();
    const bytes = this.usedBytes() - before;
    const keys = this.keys();
    if (keys < limits.checkpointKeysKnown) return made;
    // A collection may have come between and taken older garbage: with it the copy seems small, or less than nothing.
    if (bytes > 0) this.keyBytes = Math.max(bytes, made.byteLength) / keys;
    return made;
  }
}
