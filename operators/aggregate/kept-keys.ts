/** How keys that have a number while they hold something stand in checkpoints, and how far windows have been given. */
import type {
  HeldKeys,
  OperatorContext,
  OwnState,
  StateColumns,
  StateKey,
  TellKey,
} from '../../runtime/stream/index.ts';

export interface KeptWindows {
  /** Puts together what the states of a checkpoint held, each of which is restored for itself. */
  putTogether(): void;
  /** To be told of each key that is about to be looked at or to be changed; undefined: nobody looks on. */
  readonly touch: TellKey | undefined;
}

/** Keys are told as they are held. */
export function toldHeld(tell: TellKey | undefined, { written }: HeldKeys): TellKey | undefined {
  return tell && ((key) => tell(written(key)));
}

/** Keys in the order in which they came, with their numbers. */
export interface KeyColumns {
  readonly keys: readonly StateKey[];
  readonly times: Float64Array;
  readonly numbers: ArrayLike<number>;
}

interface NumberedKeys {
  readonly size: number;
  /** The number of a key, or -1. */
  find(key: StateKey): number;
  /** Of a key that is there, when it came. */
  timeOf(key: StateKey): number;
  columns(): KeyColumns;
}

export interface Given {
  /** Windows that end at this time or before have been given. */
  readonly closed: number;
  /** The place that the next key gets in the order in which keys come. */
  readonly nextOrder: number;
}

interface KeptProgress extends Given {
  /** Of windows that had a lateness: it stays with them. */
  readonly floor?: number;
}

interface Windows {
  readonly closed: number;
  /** The place that the next key gets in the order in which keys come. */
  readonly next: number;
  /** Nothing is held; what was given before, and the order of the next key, are those of a checkpoint. */
  begin(given: Given): void;
}

export const nothing: StateColumns = { keys: [], times: new Float64Array(0), values: [] };

/** `all` and `one`: what checkpoints have of keys. */
export function stateOfKeys(
  keys: NumberedKeys,
  heldKeys: HeldKeys,
  form: {
    all(keys: readonly StateKey[], numbers: ArrayLike<number>): unknown[];
    one(key: StateKey, number: number): unknown;
    restore(columns: StateColumns): void;
  },
): OwnState {
  return {
    get size() {
      return keys.size;
    },
    has: (written) => keys.find(heldKeys.held(written)) >= 0,
    entry(written) {
      const key = heldKeys.held(written);
      const number = keys.find(key);
      return number < 0 ? undefined : { value: form.one(key, number), time: keys.timeOf(key) };
    },
    snapshot() {
      const { keys: all, times, numbers } = keys.columns();
      return { keys: all.map(heldKeys.written), times, values: form.all(all, numbers) };
    },
    restore: form.restore,
  };
}

const progressKey = 'now';

/** `counted`: what is counted over all keys. What comes back takes in what a checkpoint held, where there was one; then all windows are gone. */
export function keepProgress(
  context: OperatorContext,
  windows: Windows,
  counted: { readonly name: 'cells' | 'panes' | 'sessions'; count(): number },
): () => boolean {
  let kept: KeptProgress | undefined;
  let floor: number | undefined;
  const value = () => ({
    closed: windows.closed,
    [counted.name]: counted.count(),
    nextOrder: windows.next,
    ...(floor !== undefined && { floor }),
  });
  const hasBegun = () => windows.next > 0 || Number.isFinite(windows.closed);
  context.ownState('progress', {
    get size() {
      return hasBegun() ? 1 : 0;
    },
    has: (key) => key === progressKey && hasBegun(),
    entry: (key) => (key === progressKey && hasBegun() ? { value: value(), time: 0 } : undefined),
    snapshot: () => (hasBegun() ? { keys: [progressKey], times: new Float64Array(1), values: [value()] } : nothing),
    restore({ values }) {
      kept = values[0] as KeptProgress | undefined;
    },
  });
  return () => {
    if (!kept) return false;
    windows.begin(kept);
    floor = kept.floor;
    kept = undefined;
    return true;
  };
}
