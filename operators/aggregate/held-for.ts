/** What checkpoints have of the window of one result, beside the other windows of its key. */
import type { BoundOperator } from '../../runtime/stream/index.ts';
import type { PaneGroup } from './pane-groups.ts';
import { countPanes, paneAt } from './panes.ts';
import type { SessionGroup } from './session-windows.ts';

export type HeldFor = NonNullable<BoundOperator['heldFor']>;

export const panesFor: HeldFor = (result, { state, value }) => {
  if (state !== 'groups') return undefined;
  const group = value as PaneGroup;
  const all = Array.from({ length: countPanes(group) }, (_, index) => paneAt(group, index));
  const panes = all.filter(({ start }) => start >= Number(result.window_start) && start < Number(result.window_end));
  return panes.length === 0 ? undefined : { key: group.key, panes: panes.map(({ start, held }) => ({ start, held })) };
};

/** Of a session that is no more: those that it became part of. */
export const sessionsFor: HeldFor = (result, { state, value }) => {
  if (state !== 'groups') return undefined;
  const { key, sessions } = value as SessionGroup;
  const own = sessions.filter(
    ({ start, end }) => start < Number(result.window_end) && end > Number(result.window_start),
  );
  return own.length === 0 ? undefined : { key, sessions: own };
};
