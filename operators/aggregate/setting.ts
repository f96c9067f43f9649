/** What all kinds of windows of `aggregate` are told. */
import type { Event, HeldKeys, StateKey } from '../../runtime/stream/index.ts';
import type { CellKind } from './cell.ts';
import type { NumberCells } from './number-cells.ts';
import type { RowCellPlan } from './row-cells.ts';
import type { ResultRow } from './rows.ts';

export interface AggregateSetting {
  readonly kind: CellKind;
  readonly keyFields: readonly string[];
  keyOf(event: Event): StateKey;
  /** The same as state holds them. */
  readonly heldKeys: HeldKeys;
  /** With a global window: names the thing that an event is about; undefined: every event counts. */
  readonly thingOf: ((event: Event) => StateKey) | undefined;
  readonly keysMax: number;
  /** Time between early results; undefined: none, or with every change. */
  readonly earlyMs: number | undefined;
  toEvent(row: ResultRow): Event;
  /** Fields of the rows, in their order. */
  readonly rowNames: readonly string[];
  /** How cells are kept where all their values are numbers alone. */
  readonly numberCells: NumberCells | undefined;
  /** Makes cells for keys that only come; undefined where a value cannot be kept in rows. */
  readonly rowCells: RowCellPlan | undefined;
}

export interface OrderedRow extends ResultRow {
  /** Place of the key in the order in which keys came. */
  readonly order: number;
}

/** By window end, then by the order in which keys came. */
export function sortRows<Row extends OrderedRow>(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.end - b.end || a.order - b.order || a.start - b.start);
}
