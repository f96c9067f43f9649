/** What the state of a pattern hangs on, and how state of earlier versions becomes today's. */
import type { Event, NodeState, Schema, StateBasis, StateMigration } from '../../runtime/stream/index.ts';
import type { Cell } from '../aggregate/cell.ts';
import { eventsBasis, fieldsBasis } from '../support/state-basis.ts';
import type { PatternOptions } from './options.ts';
import { noThreads, type WrittenRun } from './run.ts';
import type { Thread } from './threads.ts';

/** 2: events of a key in one list, and places that count from the beginning of a match. */
export const patternStateVersion = 2;

/** Which events are kept, and in which ways they fit, follows from all of it but the values of a match. */
export function patternBasis(
  { key = [], steps, within, go_on }: PatternOptions,
  schema: Schema | undefined,
): StateBasis {
  return {
    key: fieldsBasis(key, schema),
    steps: steps.map(({ times, ...step }) => ({ ...step, min: times.min, max: String(times.max) })),
    within: within ?? null,
    go_on,
    event: eventsBasis(schema),
  };
}

interface RowOfVersion1 {
  readonly time: number;
  readonly event: Event;
}

interface ThreadOfVersion1 {
  readonly at: number;
  readonly previous: number;
  readonly firsts: readonly number[];
  readonly lasts: readonly number[];
  readonly counts: readonly number[];
  readonly cells: (Cell | null)[];
}

interface RunOfVersion1 extends Pick<WrittenRun, 'order' | 'from' | 'at'> {
  readonly waiting: readonly RowOfVersion1[];
  readonly rows: readonly RowOfVersion1[];
  readonly threads: readonly ThreadOfVersion1[];
  readonly complete: ThreadOfVersion1 | null;
  readonly dueAt: number;
}

export const oneListMigration: StateMigration = {
  summary: 'events that wait and those that were looked at stand in one list',
  from: 1,
  to: 2,
  migrate(state: NodeState): NodeState {
    const runs = [...(state.states.get('runs') ?? [])].map(([key, { value, time }]) => {
      const { order, waiting, rows, from, at, threads, complete, dueAt } = value as RunOfVersion1;
      const all = [...rows, ...waiting];
      const run: WrittenRun = {
        key,
        order,
        events: all.map(({ event }) => event),
        times: all.map((row) => row.time),
        from,
        at,
        threads: threads.length === 0 ? noThreads : threads.map((thread) => threadOf(thread, from)),
        complete: complete && threadOf(complete, from),
        dueAfter: dueAt - 1,
      };
      return [key, { value: run, time }] as const;
    });
    return { ...state, states: new Map([...state.states, ['runs', new Map(runs)]]) };
  },
};

function threadOf({ at, previous, firsts, lasts, counts, cells }: ThreadOfVersion1, from: number): Thread {
  const places = counts.flatMap((count, step) =>
    count === 0 ? [0, 0, 0] : [(firsts[step] as number) - from, (lasts[step] as number) - from, count],
  );
  return { at, previous: previous < 0 ? previous : previous - from, spans: places, cells: [...cells] };
}
