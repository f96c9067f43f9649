/** How the windows of keys are given to other partitions. */
import { cutByKey, type NodeStates } from '../../runtime/stream/index.ts';

interface Group {
  readonly order: number;
  /** Of panes: those beside the newest. */
  readonly older?: readonly unknown[] | null;
  readonly sessions?: readonly unknown[];
}

/** Keys are numbered in the order in which they stand, and what is counted over all keys is counted anew. */
function complete(states: NodeStates): NodeStates {
  const completed = new Map(states);
  let counted = { panes: 0, sessions: 0, nextOrder: 0 };
  for (const name of ['groups', 'totals']) {
    const entries = states.get(name);
    if (!entries) continue;
    const numbered = [...entries].map(([key, { value, time }], order) => {
      const group = value as Group;
      const { panes, sessions, nextOrder } = counted;
      counted = {
        panes: panes + (group.older === undefined ? 0 : 1 + (group.older?.length ?? 0)),
        sessions: sessions + (group.sessions?.length ?? 0),
        nextOrder: nextOrder + 1,
      };
      return [key, { value: { ...group, order }, time }] as const;
    });
    completed.set(name, new Map(numbered));
  }
  const closed = states.get('closed');
  const last = closed?.get('order');
  if (closed && last) completed.set('closed', new Map(closed).set('order', { ...last, value: counted.nextOrder }));
  const progress = states.get('progress');
  if (!progress) return completed;
  const shared = [...progress].map(([key, { value, time }]) => {
    const now = value as Readonly<Record<string, number>>;
    const { nextOrder } = counted;
    const own = 'panes' in now ? { panes: counted.panes, nextOrder } : { sessions: counted.sessions, nextOrder };
    return [key, { value: { ...now, ...own }, time }] as const;
  });
  return completed.set('progress', new Map(shared));
}

export const aggregateCut = cutByKey({ shared: ['progress', 'closed'], complete });
