/** Levels of escalation that change while alerts are open. */
import type { StateMigration } from '../../runtime/stream/index.ts';
import { agree } from '../support/state-basis.ts';
import type { Watch } from './watch.ts';

/** Severity of a raised alert; each level of escalation lies one above. */
const raised = 1;

export const levelsMigration: StateMigration = {
  summary: 'levels of open alerts go by their names; one that is gone becomes the next lower one',
  from: 1,
  to: 1,
  basis: (before, after) => (agree(before, after, { except: ['levels'] }) ? after : null),
  migrate(state, { before, after }) {
    const [old, now] = [before.levels, after.levels] as [readonly string[], readonly string[]];
    const severityOf = (severity: number): number => {
      for (let level = severity - raised - 1; level >= 0; level--) {
        const place = now.indexOf(old[level] as string);
        if (place !== -1) return place + raised + 1;
      }
      return raised;
    };
    const watches = [...(state.states.get('watches') ?? [])].map(([key, { value, time }]) => {
      const watch = value as Watch;
      const levelSince = now.map((name) => {
        const place = old.indexOf(name);
        return place === -1 ? null : (watch.levelSince[place] ?? null);
      });
      const open = watch.open && { ...watch.open, severity: severityOf(watch.open.severity) };
      return [key, { value: { ...watch, levelSince, open }, time }] as const;
    });
    return { ...state, states: new Map([...state.states, ['watches', new Map(watches)]]) };
  },
};
