/**
 * Events side by side as columns. Objects are made of them when somebody asks, and only of those asked for: what a filter takes out is never made
 * (late materialisation, as in columnar stores).
 */
import { type ColumnAccess, columnAccess } from './compiled-access.ts';
import type { Event } from './schema.ts';

interface Rows {
  /** Of the first row, in each column. */
  readonly offset?: number;
  readonly length: number;
}

export class EventColumns {
  readonly names: readonly string[];
  readonly length: number;
  /** Of the first row, in each column. */
  readonly offset: number;
  private readonly columns: readonly ArrayLike<unknown>[];
  private readonly access: ColumnAccess;
  /** What this is a part of: an event is one object, whoever asks for it. */
  private readonly whole: EventColumns | undefined;
  private made: readonly Event[] | undefined;

  /** `columns`: of each name the values, null where one is absent; nobody changes them afterwards. */
  constructor(
    names: readonly string[],
    columns: readonly ArrayLike<unknown>[],
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
    const { columns, offset, length } = this;
    this.made ??= this.known() ?? this.access.build(columns, offset, offset + length);
    return this.made;
  }

  /** Some of them as objects: the first `count` of `rows`. */
  pick(rows: ArrayLike<number>, count: number): Event[] {
    const made = this.made ?? this.known();
    if (!made) return this.access.pick(this.columns, this.offset, rows, count);
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
  gather(rows: ArrayLike<number>, count: number): EventColumns {
    const { names, columns, offset } = this;
    const gathered = columns.map((column) => {
      const values = new Array<unknown>(count);
      for (let at = 0; at < count; at++) values[at] = column[offset + (rows[at] as number)];
      return values;
    });
    return new EventColumns(names, gathered, { length: count });
  }

  /** Columns by name, whole: see `offset`. Nulls where there is none of a name. */
  columnsOf(names: readonly string[]): ArrayLike<unknown>[] {
    return names.map((name) => this.columns[this.names.indexOf(name)] ?? this.nulls());
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
