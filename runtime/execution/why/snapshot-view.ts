/** A checkpoint, looked into as a running stage is. */
import { entryOf } from '../../stream/state-columns.ts';
import { type SourceView, type StageView, slowestOf } from '../../stream/state-view.ts';
import type { StageSnapshot } from '../stage-machine.ts';

export function viewOfSnapshot({ nodes, sources }: StageSnapshot): StageView {
  return {
    node(id) {
      const runner = nodes.get(id);
      if (!runner) return undefined;
      const { watermark, inputs, states, timers } = runner;
      return {
        watermark,
        inputs,
        entries: (key) =>
          [...states].flatMap(([state, columns]) => {
            const entry = entryOf(columns, key);
            return entry ? [{ state, ...entry }] : [];
          }),
        timers: (key, countMax) => timers.pending.filter((timer) => timer.key === key).slice(0, countMax),
      };
    },
    source(id): SourceView | undefined {
      const source = sources.get(id);
      if (!source) return undefined;
      const { origins, idle } = source.origins;
      return { idle, slowest: () => slowestOf(origins.map(([origin, state]) => ({ origin, ...state }))) };
    },
  };
}
