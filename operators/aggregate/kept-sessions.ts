/** How open sessions stand in checkpoints: key by key, as `SessionWindows` keeps them, so that a lateness can be given to windows that had none. */
import type { OperatorContext, StateColumns, StateKey } from '../../runtime/stream/index.ts';
import { type KeptWindows, keepProgress, nothing, stateOfKeys, toldHeld } from './kept-keys.ts';
import type { NumberCells } from './number-cells.ts';
import { cellAt, endAt, type OpenSessions, startAt } from './open-sessions.ts';
import { type Session, type SessionGroup, timerName } from './session-windows.ts';
import type { AggregateSetting } from './setting.ts';

export function keepSessions(
  context: OperatorContext,
  open: OpenSessions,
  { setting, cells }: { setting: AggregateSetting; cells: NumberCells },
): KeptWindows {
  const { heldKeys } = setting;
  let kept: StateColumns = nothing;
  const groupOf = (key: StateKey, newest: number): SessionGroup => {
    const sessions: Session[] = [];
    for (let session = newest; session >= 0; session = open.olderThan(session))
      sessions.unshift(keptOf(open, session, cells));
    return { order: open.orderOf(newest), key: heldKeys.values(key), sessions, timerAt: Number.POSITIVE_INFINITY };
  };
  const tell = context.ownState(
    'groups',
    stateOfKeys(open, heldKeys, {
      all: (keys, numbers) => keys.map((key, at) => groupOf(key, numbers[at] as number)),
      one: groupOf,
      restore(columns) {
        kept = columns;
      },
    }),
  );
  const takeProgress = keepProgress(context, open, { name: 'sessions', count: () => open.count });
  const putTogether = () => {
    if (!takeProgress()) return;
    for (const [at, written] of kept.keys.entries()) {
      context.timers.clear(written, timerName);
      const { order, sessions } = kept.values[at] as SessionGroup;
      // Those that a lateness alone had kept are over.
      const held = sessions.filter(({ end, changed }) => changed || end > open.closed);
      const from = { order, time: kept.times[at] as number, sessions: held };
      for (const [place, session] of open.load(heldKeys.held(written), from).entries())
        loadSession(open, session, { from: held[place] as Session, cells });
    }
    kept = nothing;
  };
  return { putTogether, touch: toldHeld(tell, heldKeys) };
}

function keptOf({ rows, width, corrections }: OpenSessions, session: number, cells: NumberCells): Session {
  const from = session * width;
  const [start, end] = [rows[from + startAt] as number, rows[from + endAt] as number];
  const revision = corrections.get(session);
  const given = revision === undefined ? [] : [{ start, end, revision: revision - 1 }];
  return { start, end, cell: cells.cellOf(rows, from + cellAt), changed: true, changedSinceEarly: true, given };
}

function loadSession(
  { rows, width, corrections, closed }: OpenSessions,
  session: number,
  { from: { start, end, cell, given }, cells }: { from: Session; cells: NumberCells },
): void {
  cells.put(cell, rows, session * width + cellAt);
  const before = given.find((one) => one.start === start && one.end === end);
  if (before && end <= closed) corrections.set(session, before.revision + 1);
}
