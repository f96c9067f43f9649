/** The rows that `aggregate` gives: key, window, values, and which word on it this is. */
import {
  type CompiledAggregate,
  type Event,
  EventColumns,
  eventComposer,
  type Field,
  type HeldKeys,
  type Schema,
  type StateKey,
  tagged,
} from '../../runtime/stream/index.ts';

export interface NamedAggregate {
  readonly name: string;
  readonly aggregate: CompiledAggregate;
}

export interface ResultRow {
  /** Values of the key's fields. */
  readonly key: readonly unknown[];
  readonly start: number;
  readonly end: number;
  readonly values: readonly unknown[];
  readonly revision: number;
  readonly early: boolean;
  readonly withdrawn?: boolean;
}

export const windowFields = ['window_start', 'window_end', 'revision', 'early', 'withdrawn'];

function fieldOf({ type, nullable, privacy }: CompiledAggregate): Field {
  return { type, ...(nullable && { nullable: true }), ...tagged(privacy) };
}

export function resultSchema(args: {
  input: Schema;
  key: readonly string[];
  values: readonly NamedAggregate[];
  withdraws: boolean;
}): Schema {
  const { input, key, values, withdraws } = args;
  const fields: Record<string, Field> = {};
  for (const name of key) {
    const known = Object.hasOwn(input.fields, name) ? input.fields[name] : undefined;
    fields[name] = known ?? { type: { kind: 'json' }, nullable: true };
  }
  fields.window_start = { type: { kind: 'timestamp' }, description: 'the window holds events from this time on' };
  fields.window_end = { type: { kind: 'timestamp' }, description: 'and up to this time, itself not in it' };
  for (const { name, aggregate } of values) fields[name] = fieldOf(aggregate);
  fields.revision = {
    type: { kind: 'int' },
    description: '0 the first final result, then one more for each correction',
  };
  fields.early = { type: { kind: 'bool' }, description: 'given before the window closed' };
  if (withdraws) {
    const description = 'this window is no more: late events made it part of a longer one';
    fields.withdrawn = { type: { kind: 'bool' }, description };
  }
  return { fields };
}

export interface RowShape {
  readonly key: readonly string[];
  readonly names: readonly string[];
  readonly withdraws: boolean;
}

function fieldsOf({ key, names, withdraws }: RowShape): readonly (readonly string[])[] {
  const last = withdraws ? ['revision', 'early', 'withdrawn'] : ['revision', 'early'];
  return [key, ['window_start', 'window_end'], names, last];
}

/** The fields of rows, in their order. */
export function rowNames(shape: RowShape): readonly string[] {
  return fieldsOf(shape).flat();
}

/** Many results side by side, of windows that none is taken back of. */
export function resultColumns(
  names: readonly string[],
  rows: {
    /** Of each field of the key the values. */
    readonly keys: readonly unknown[][];
    readonly starts: ArrayLike<number>;
    readonly ends: ArrayLike<number>;
    /** Of each value. */
    readonly values: readonly ArrayLike<unknown>[];
    readonly early: boolean;
    /** Absent: all are first results. */
    readonly revisions?: readonly number[];
  },
): EventColumns {
  const { keys, starts, ends, values, early } = rows;
  const { length } = starts;
  const { revisions = repeated(0, length) } = rows;
  return new EventColumns(names, [...keys, starts, ends, ...values, revisions, repeated(early, length)], { length });
}

export function repeated<Value>(value: Value, count: number): Value[] {
  return new Array<Value>(count).fill(value);
}

/** Of each field of the keys the values. */
export function keyColumns(heldKeys: HeldKeys, fields: readonly string[], keys: readonly StateKey[]): unknown[][] {
  const columns = fields.map(() => new Array<unknown>(keys.length));
  for (let at = 0; at < keys.length; at++) {
    const values = heldKeys.values(keys[at] as StateKey);
    for (let field = 0; field < columns.length; field++) (columns[field] as unknown[])[at] = values[field];
  }
  return columns;
}

/** Makes rows of one shape. */
export function rowMaker(shape: RowShape): (row: ResultRow) => Event {
  const compose = eventComposer(fieldsOf(shape));
  return ({ key: keyValues, start, end, values, revision, early, withdrawn = false }) =>
    compose(keyValues, [start, end], values, [revision, early, withdrawn]);
}
