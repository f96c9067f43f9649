/** What rankings hang on, and how those of earlier versions become today's. */
import type { NodeState, StateBasis, StateKey, StateMigration } from '../../runtime/stream/index.ts';
import { agree } from '../support/state-basis.ts';
import type { Rankings } from './handler.ts';
import { compareRanked, type Ranked, type Ranking } from './ranking.ts';

/** 2: events that stand for themselves in a list, best first; the one ranking of what is known now as it is. */
export const topStateVersion = 2;

interface RankingOfVersion1 extends Omit<Ranking, 'things' | 'events'> {
  readonly things: Map<StateKey, Ranked>;
  readonly worst?: Ranked;
}

const listsMigration: StateMigration = {
  summary: 'rankings stay as they are, and take less room',
  from: 1,
  to: 2,
  migrate(state, { before }) {
    const { kept, between = [] } = before as {
      readonly kept: { readonly order: string } | null;
      readonly between?: readonly { readonly order: string }[];
    };
    const rule = {
      rows: Number.POSITIVE_INFINITY,
      ascending: kept?.order === 'asc',
      between: between.map(({ order }) => order === 'asc'),
      allTies: false,
    };
    const change = ({ worst: _worst, things, ...rest }: RankingOfVersion1): Ranking =>
      kept
        ? { ...rest, things: null, events: [...things.values()].sort((a, b) => compareRanked(a, b, rule)) }
        : { ...rest, things, events: [] };
    const isOfWindows = before.window !== null;
    return changeRankings(state, (value) => {
      const changed = [...(value as Map<number, RankingOfVersion1>)].map(
        ([start, ranking]) => [start, change(ranking)] as const,
      );
      return isOfWindows ? new Map(changed) : (changed[0]?.[1] as Ranking);
    });
  },
};

const lessMigration: StateMigration = {
  summary: 'fewer are shown, or closed windows are corrected for a shorter time',
  from: 2,
  to: 2,
  basis: (before, after) => (needsLess(before, after) ? after : null),
  migrate: (state) => state,
};

export const topMigrations: readonly StateMigration[] = [listsMigration, lessMigration];

function changeRankings(state: NodeState, change: (value: unknown) => Rankings): NodeState {
  const states = [...state.states].map(([name, entries]) => {
    const changed = [...entries].map(([key, { value, time }]) => [key, { value: change(value), time }] as const);
    return [name, new Map(changed)] as const;
  });
  return { ...state, states: new Map(states) };
}

/** Whether all that `after` needs is kept under `before`. */
function needsLess(before: StateBasis, after: StateBasis): boolean {
  if (!agree(before, after, { except: ['kept', 'window'] })) return false;
  const [kept, wanted] = [before.kept, after.kept] as ({ rows: number; order: string } | null)[];
  if (kept && wanted && (wanted.order !== kept.order || wanted.rows > kept.rows)) return false;
  const [old, now] = [before.window, after.window] as (StateBasis | null)[];
  if (!old || !now) return old === now;
  return agree(old, now, { except: ['lateness'] }) && Number(now.lateness) <= Number(old.lateness);
}
