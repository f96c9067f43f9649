/**
 * Events side by side as columns. Objects are made of them when somebody asks, and only of those asked for: what a filter takes out is never made
 * (late materialisation, as in columnar stores).
 */
import { type ChooseValues, type ColumnAccess, columnAccess, valueChooser } from './compiled-access.ts';
import type { Event } from './schema.ts';

interface Rows {
  /** Of the first row, in each column. */
  readonly offset?: number;
  readonly length: number;
}

/** Some values of a column, which are put together when somebody asks for them: what nobody reads is never copied. */
class ChosenColumn {
  private readonly choose: ChooseValues;
  private readonly column: ArrayLike<unknown> | ChosenColumn;
  private readonly rows: Uint32Array;
  private chosen: ArrayLike<unknown> | undefined;

  /** `rows`: of the column; nobody changes them afterwards. */
  constructor(choose: ChooseValues, column: ArrayLike<unknown> | ChosenColumn, rows: Uint32Array) {
    this.choose = choose;
    this.column = column;
    this.rows = rows;
  }

  values(): ArrayLike<unknown> {
    this.chosen ??= this.choose(valuesOf(this.column), this.rows);
    return this.chosen;
  }
}

function valuesOf(column: ArrayLike<unknown> | ChosenColumn): ArrayLike<unknown> {
  return column instanceof ChosenColumn ? column.values() : column;
}

/** Fields that go on as they are, each with a function of its own (see `valueChooser`). */
export class KeptFields {
  readonly names: readonly string[];
  private readonly choosers: readonly ChooseValues[];

  constructor(names: readonly string[]) {
    this.names = names;
    this.choosers = names.map(valueChooser);
  }

  /** Of the first `count` of `rows`, which rise: the columns themselves, where those are all rows. */
  columns(of: EventColumns, rows: Uint32Array, count: number): (ArrayLike<unknown> | ChosenColumn)[] {
    const columns = of.columnsOf(this.names);
    if (of.offset === 0 && of.length === count) return columns;
    const places = placesOf(rows, count, of.offset);
    return columns.map((column, at) => new ChosenColumn(this.choosers[at] as ChooseValues, column, places));
  }
}

/** The first `count` of `rows`, as places in columns that begin at `offset`. */
function placesOf(rows: Uint32Array, count: number, offset: number): Uint32Array {
  const places = rows.slice(0, count);
  if (offset !== 0) for (let at = 0; at < count; at++) (places[at] as number) += offset;
  return places;
}

export class EventColumns {
  readonly names: readonly string[];
  readonly length: number;
  /** Of the first row, in each column. */
  readonly offset: number;
  private readonly columns: (ArrayLike<unknown> | ChosenColumn)[];
  private readonly access: ColumnAccess;
  /** What this is a part of: an event is one object, whoever asks for it. */
  private readonly whole: EventColumns | undefined;
  private made: readonly Event[] | undefined;
  /** No column is left whose values have still to be put together. */
  private isTogether = false;

  /** `columns`: of each name the values, null where one is absent; they are handed over. */
  constructor(
    names: readonly string[],
    columns: (ArrayLike<unknown> | ChosenColumn)[],
    { offset = 0, length }: Rows,
    whole?: EventColumns,
  ) {
    this.names = names;
    this.columns = columns;
    this.length = length;
    this.offset = offset;
    this.access = whole?.access ?? columnAccess(names);
    this.whole = whole;
  }

  /** All of them as objects, made once. */
  get events(): readonly Event[] {
    const { offset, length } = this;
    this.made ??= this.known() ?? this.access.build(this.all(), offset, offset + length);
    return this.made;
  }

  /** Some of them as objects: the first `count` of `rows`. */
  pick(rows: ArrayLike<number>, count: number): Event[] {
    const made = this.made ?? this.known();
    if (!made) return this.access.pick(this.all(), this.offset, rows, count);
    const picked = new Array<Event>(count);
    for (let at = 0; at < count; at++) picked[at] = made[rows[at] as number] as Event;
    return picked;
  }

  /** The objects, where those of the whole have been made. */
  private known(): readonly Event[] | undefined {
    const { whole, offset, length } = this;
    const from = offset - (whole?.offset ?? 0);
    return whole?.made?.slice(from, from + length);
  }

  /** Rows from a place to another. */
  slice(from: number, to: number): EventColumns {
    const { names, columns, offset } = this;
    return new EventColumns(names, columns, { offset: offset + from, length: to - from }, this.whole ?? this);
  }

  /** Columns of some of them alone: the first `count` of `rows`. */
  gather(rows: Uint32Array, count: number): EventColumns {
    const { access, columns, names, offset } = this;
    const places = placesOf(rows, count, offset);
    const chosen = columns.map((column, at) => new ChosenColumn(access.choosers[at] as ChooseValues, column, places));
    return new EventColumns(names, chosen, { length: count });
  }

  /** Columns by name, whole: see `offset`. Nulls where there is none of a name. */
  columnsOf(names: readonly string[]): ArrayLike<unknown>[] {
    return names.map((name) => this.column(this.names.indexOf(name)) ?? this.nulls());
  }

  private column(at: number): ArrayLike<unknown> | undefined {
    const column = this.columns[at];
    if (!(column instanceof ChosenColumn)) return column;
    const values = column.values();
    this.columns[at] = values;
    return values;
  }

  private all(): readonly ArrayLike<unknown>[] {
    if (!this.isTogether) for (let at = 0; at < this.columns.length; at++) this.column(at);
    this.isTogether = true;
    return this.columns as ArrayLike<unknown>[];
  }

  private nulls(): null[] {
    return new Array<null>(this.offset + this.length).fill(null);
  }

  /** The values of a field, in order; null where every one is. */
  valuesOf(name: string): unknown[] | null {
    const [column] = this.columnsOf([name]) as [ArrayLike<unknown>];
    const values = new Array<unknown>(this.length);
    let present = false;
    for (let index = 0; index < values.length; index++) {
      const value = column[this.offset + index] ?? null;
      values[index] = value;
      present ||= value !== null;
    }
    return present ? values : null;
  }
}

/** One after the other; undefined where they have not the same fields in the same order, or where there are none. */
export function joinColumns(parts: readonly EventColumns[]): EventColumns | undefined {
  const [first, ...others] = parts;
  if (!first || others.length === 0) return first;
  const { names } = first;
  if (!others.every((part) => part.names === names || isSameList(part.names, names))) return undefined;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = names.map(() => new Array<unknown>(length));
  let to = 0;
  for (const part of parts) {
    for (const [at, column] of part.columnsOf(names).entries()) {
      const values = joined[at] as unknown[];
      for (let row = 0; row < part.length; row++) values[to + row] = column[part.offset + row];
    }
    to += part.length;
  }
  return new EventColumns(names, joined, { length });
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, at) => name === other[at]);
}

/** Something whose events may be columns. */
export interface WithColumns {
  readonly events: readonly Event[];
  /** The same events, where they came as columns. A copy made by spreading has objects alone. */
  readonly columns?: EventColumns;
}

const eventsOfColumns: PropertyDescriptor = {
  enumerable: true,
  get(this: { readonly columns: EventColumns }) {
    return this.columns.events;
  },
};

/** Gives something the events of columns. */
export function withColumns<Rest extends object>(rest: Rest, columns: EventColumns): Rest & Required<WithColumns> {
  Object.defineProperty(rest, 'columns', { value: columns });
  return Object.defineProperty(rest, 'events', eventsOfColumns) as Rest & Required<WithColumns>;
}

/** Gives something the events of another from a place to before another, as columns where they are. */
export function withPart<Rest extends object>(
  rest: Rest,
  whole: WithColumns,
  { from, to }: { readonly from: number; readonly to: number },
): Rest & WithColumns {
  const { columns } = whole;
  if (columns) return withColumns(rest, columns.slice(from, to));
  return Object.assign(rest, { events: whole.events.slice(from, to) });
}
