/** Hands out ids, and knows which of them the engine owes: every one whose sender was told that it is safe. */

export type SourceName = 'visits' | 'calls' | 'drops';

export interface Sent {
  readonly id: string;
  readonly source: SourceName;
  /** By which the windows group: hospital or station. */
  readonly key: string;
  /** Joins a visit with a call. */
  readonly pair: string;
  /** Event time, ms since the epoch. */
  readonly at: number;
  /**
   * `waiting`: no answer yet. `owed`: acknowledged. `unknown`: the sender gave up without an answer, so that it may have
   * been taken or not. `refused`: the engine turned it away, which it must never do with what is right.
   */
  state: 'waiting' | 'owed' | 'unknown' | 'refused';
}

export interface Oracle {
  next(event: { source: SourceName; key: string; pair?: string; at: number }): Sent;
  readonly sent: ReadonlyMap<string, Sent>;
  count(state: Sent['state']): number;
}

/** `name`: stands in every id, so that ids of two oracles never meet. */
export function createOracle(name: string): Oracle {
  const sent = new Map<string, Sent>();
  return {
    sent,
    next({ source, key, pair = 'no-case', at }) {
      const one: Sent = { id: `${name}-${source}-${sent.size + 1}`, source, key, pair, at, state: 'waiting' };
      sent.set(one.id, one);
      return one;
    },
    count(state) {
      let count = 0;
      for (const one of sent.values()) if (one.state === state) count++;
      return count;
    },
  };
}
