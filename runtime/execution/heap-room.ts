/**
 * Room in the heap of this process. V8 ends a process whose objects do not fit any more, at once and without a word; so a stage whose state has
 * grown that far stops before: what it would handle waits in the log.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { limits } from '../limits.ts';
import { woken } from './woken.ts';

/** `scarce`: somebody should look at it. `full`: no more is handled. */
export type HeapState = 'roomy' | 'scarce' | 'full';

export class HeapRoom {
  /** Of old objects: beyond it V8 ends the process. */
  readonly limitBytes: number;
  #liveBytes: number;
  #state: HeapState = 'roomy';
  readonly #reserves = new Set<() => number>();
  readonly #listeners = new Set<(state: HeapState) => void>();
  readonly #waiters = new Set<() => void>();

  constructor(limitBytes: number, liveBytes = 0) {
    this.limitBytes = limitBytes;
    this.#liveBytes = liveBytes;
    this.#state = this.#judge();
  }

  /** What had lived through the last collection of all objects; garbage may fill the rest at any time. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get state(): HeapState {
    return this.#state;
  }

  /** What must have room beside it: copies for checkpoints. */
  get reservedBytes(): number {
    return [...this.#reserves].reduce((sum, bytes) => sum + bytes(), 0);
  }

  /** Keeps room for something, however much it is at the time; the function that it gives ends that. */
  reserve(bytes: () => number): () => void {
    this.#reserves.add(bytes);
    return () => void this.#reserves.delete(bytes);
  }

  /** To be called after a collection of all objects. */
  note(liveBytes: number): void {
    this.#liveBytes = liveBytes;
    this.look();
  }

  /** Judges anew: what is reserved has changed. */
  look(): void {
    const before = this.#state;
    this.#state = this.#judge();
    if (this.#state === before) return;
    for (const listener of [...this.#listeners]) listener(this.#state);
    if (before === 'full') for (const wake of [...this.#waiters]) wake();
  }

  /** Calls `listener` on each change; the function that it gives ends that. */
  follow(listener: (state: HeapState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when the heap is not full, or the signal aborts. */
  async whenRoom(signal: AbortSignal): Promise<void> {
    while (this.#state === 'full' && !signal.aborted) await woken(this.#waiters, signal);
  }

  #judge(): HeapState {
    const percent = ((this.#liveBytes + this.reservedBytes) / this.limitBytes) * 100;
    // What is held goes on a little later than it was stopped, or it would stop and go in turns.
    if (percent >= (this.#state === 'full' ? limits.heapGoesOnPercent : limits.heapFullPercent)) return 'full';
    return percent >= limits.heapScarcePercent ? 'scarce' : 'roomy';
  }
}

interface Collection extends PerformanceEntry {
  readonly detail?: { readonly kind?: number };
}

let ofProcess: HeapRoom | undefined;

/** That of this process, looked at after each collection of all its objects. */
export function processHeap(): HeapRoom {
  if (ofProcess) return ofProcess;
  const heap = new HeapRoom(getHeapStatistics().heap_size_limit - youngBytesMax(), oldBytes());
  new PerformanceObserver((list) => {
    const kinds = list.getEntries().map((entry) => (entry as Collection).detail?.kind);
    if (kinds.includes(constants.NODE_PERFORMANCE_GC_MAJOR)) heap.note(oldBytes());
  }).observe({ entryTypes: ['gc'] });
  ofProcess = heap;
  return heap;
}

/** For a simulated process, which may die without a word: what it keeps room for is not a matter of the process that simulates it. */
export function simulatedHeap(): HeapRoom {
  return new HeapRoom(getHeapStatistics().heap_size_limit);
}

function oldBytes(): number {
  return getHeapSpaceStatistics()
    .filter(({ space_name }) => !/^(?:new|read_only)_/.test(space_name))
    .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

/** What V8 adds to its limit for young objects: three semi-spaces, of 16 MiB unless a flag says otherwise. */
function youngBytesMax(): number {
  const flags = [process.env.NODE_OPTIONS ?? '', ...process.execArgv].join(' ');
  const given = [...flags.matchAll(/--max[-_]semi[-_]space[-_]size[= ](\d+)/g)].at(-1)?.[1];
  return 3 * Number(given ?? 16) * 1024 ** 2;
}
