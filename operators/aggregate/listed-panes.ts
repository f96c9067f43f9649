/** Version 1 of what is kept of tumbling and sliding windows: a list of panes for each key, a list for the key, and a cell in each pane. */
import type { StateMigration } from '../../runtime/stream/index.ts';
import type { Cell } from './cell.ts';
import { heldOf } from './held.ts';
import { mapState } from './map-state.ts';
import type { PaneGroup } from './pane-groups.ts';
import type { Pane } from './panes.ts';
import type { Running } from './running.ts';

interface ListedPane {
  readonly start: number;
  readonly cell: Cell;
  readonly changed: boolean;
}

interface ListedGroup {
  readonly order: number;
  readonly key: readonly unknown[];
  readonly panes: readonly ListedPane[];
  readonly running: Running | null;
  readonly revisions: Map<number, number> | null;
  readonly again: Set<number> | null;
}

export const listedPanesMigration: StateMigration = {
  summary: 'windows stay as they are; what is kept of a key takes less room',
  from: 1,
  to: 2,
  migrate: (state) =>
    mapState(state, (name, value) => {
      const isListed = name === 'groups' && 'panes' in (value as object);
      return isListed ? fromLists(value as ListedGroup) : value;
    }),
};

function fromLists({ order, key, panes, running, revisions, again }: ListedGroup): PaneGroup {
  const all = panes.map(({ start, cell, changed }): Pane => ({ start, held: heldOf(cell), changed }));
  const newest = all.pop();
  if (!newest) throw new Error('invariant broken: a key without a pane');
  return {
    order,
    key: key.length === 1 ? key[0] : key,
    ...newest,
    older: all.length === 0 ? null : all,
    running,
    corrections: revisions && revisions.size > 0 ? { revisions, again: again ?? new Set() } : null,
  };
}
