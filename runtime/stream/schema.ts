/**
 * Schemas: what the events of an edge look like.
 *
 * An event is a plain object whose keys are exactly the fields of its schema, in the schema's order (one shape, so that
 * V8 keeps one hidden class). A value that is absent is `null`, never `undefined`.
 *
 * | type        | JavaScript value            | ClickHouse                |
 * | ----------- | --------------------------- | ------------------------- |
 * | `string`    | string                      | String / LowCardinality   |
 * | `bool`      | boolean                     | Bool                      |
 * | `int`       | number (a safe integer)     | Int64                     |
 * | `float`     | number                      | Float64                   |
 * | `timestamp` | number, ms since the epoch  | DateTime64(3, 'UTC')      |
 * | `duration`  | number, ms                  | Int64                     |
 * | `list`      | array of values             | Array(...)                |
 * | `record`    | object                      | JSON text                 |
 * | `json`      | any JSON value              | JSON text                 |
 */

export type FieldType =
  | { readonly kind: 'string'; readonly values?: readonly string[] }
  | { readonly kind: 'bool' }
  | { readonly kind: 'int' }
  | { readonly kind: 'float' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'duration' }
  | { readonly kind: 'json' }
  | { readonly kind: 'list'; readonly of: FieldType }
  | { readonly kind: 'record'; readonly fields: Fields };

export type FieldKind = FieldType['kind'];

/** How closely a field points at a person: name or card number; birth date or address; a fact about health. */
export type PrivacyTag = 'direct' | 'quasi' | 'health';

export interface Field {
  readonly type: FieldType;
  readonly nullable?: boolean;
  readonly description?: string;
  /** Unit of a number, as written after it: `min`, `km`, `beds`. */
  readonly unit?: string;
  readonly privacy?: PrivacyTag;
  /** Few distinct values: stored as a dictionary in frames and as LowCardinality in the store. */
  readonly repeated?: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Schema {
  readonly fields: Fields;
}

/** An event of any schema. Its shape is known to the planner, not to the compiler. */
export type Event = Record<string, unknown>;

export type ValueOf<T extends FieldType> = T extends { kind: 'string'; values: readonly (infer V)[] }
  ? V
  : T extends { kind: 'string' }
    ? string
    : T extends { kind: 'bool' }
      ? boolean
      : T extends { kind: 'int' | 'float' | 'timestamp' | 'duration' }
        ? number
        : T extends { kind: 'list'; of: infer O extends FieldType }
          ? ValueOf<O>[]
          : T extends { kind: 'record'; fields: infer F extends Fields }
            ? { [K in keyof F]: FieldValue<F[K]> }
            : unknown;

export type FieldValue<F extends Field> = F extends { nullable: true } ? ValueOf<F['type']> | null : ValueOf<F['type']>;

/** The TypeScript type of the events of a schema that is known at compile time. */
export type EventOf<S extends Schema> = { -readonly [K in keyof S['fields']]: FieldValue<S['fields'][K]> };

type Extra = Omit<Field, 'type'>;

/** Short constructors of fields: `field.int({ nullable: true, unit: 'beds' })`. */
export const field = {
  string: <const E extends Extra & { values?: readonly string[] }>(extra?: E) => {
    const { values, ...rest } = (extra ?? {}) as Extra & { values?: readonly string[] };
    const type = values ? { kind: 'string', values } : { kind: 'string' };
    return { type, ...rest } as unknown as Omit<E, 'values'> & {
      type: E extends { values: infer V extends readonly string[] }
        ? { kind: 'string'; values: V }
        : { kind: 'string' };
    };
  },
  bool: <const E extends Extra>(extra?: E) => ({ type: { kind: 'bool' }, ...extra }) as E & { type: { kind: 'bool' } },
  int: <const E extends Extra>(extra?: E) => ({ type: { kind: 'int' }, ...extra }) as E & { type: { kind: 'int' } },
  float: <const E extends Extra>(extra?: E) =>
    ({ type: { kind: 'float' }, ...extra }) as E & { type: { kind: 'float' } },
  timestamp: <const E extends Extra>(extra?: E) =>
    ({ type: { kind: 'timestamp' }, ...extra }) as E & { type: { kind: 'timestamp' } },
  duration: <const E extends Extra>(extra?: E) =>
    ({ type: { kind: 'duration' }, ...extra }) as E & { type: { kind: 'duration' } },
  json: <const E extends Extra>(extra?: E) => ({ type: { kind: 'json' }, ...extra }) as E & { type: { kind: 'json' } },
  list: <const T extends FieldType, const E extends Extra>(of: T, extra?: E) =>
    ({ type: { kind: 'list', of }, ...extra }) as unknown as E & { type: { kind: 'list'; of: T } },
  record: <const F extends Fields, const E extends Extra>(fields: F, extra?: E) =>
    ({ type: { kind: 'record', fields }, ...extra }) as unknown as E & { type: { kind: 'record'; fields: F } },
};

export function defineSchema<const F extends Fields>(fields: F): { readonly fields: F } {
  return Object.freeze({ fields: Object.freeze(fields) });
}

export function fieldNames(schema: Schema): string[] {
  return Object.keys(schema.fields);
}

/** Whether a value may be of any length: texts, and what is written as one. */
export function isText({ type: { kind } }: Field): boolean {
  return kind === 'string' || kind === 'json' || kind === 'list' || kind === 'record';
}

/** How a type is written in messages to people: `int`, `list<string>`, `one of red, green`. */
export function describeType(type: FieldType): string {
  if (type.kind === 'list') return `list<${describeType(type.of)}>`;
  if (type.kind === 'record') return `record{${Object.keys(type.fields).join(', ')}}`;
  if (type.kind === 'string' && type.values) return `one of ${type.values.join(', ')}`;
  return type.kind;
}

/** Whether a value of `from` may stand where `to` is asked for. An int is a float; a timestamp or duration is a number. */
export function isAssignable(from: FieldType, to: FieldType): boolean {
  if (to.kind === 'json') return true;
  if (to.kind === 'list' && from.kind === 'list') return isAssignable(from.of, to.of);
  if (to.kind === 'record' && from.kind === 'record') {
    return Object.entries(to.fields).every(([name, wanted]) => {
      const given = from.fields[name];
      return given ? isAssignable(given.type, wanted.type) : wanted.nullable === true;
    });
  }
  if (from.kind === to.kind) return true;
  return from.kind === 'int' && (to.kind === 'float' || to.kind === 'duration' || to.kind === 'timestamp');
}
