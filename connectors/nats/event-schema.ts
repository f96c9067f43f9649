/** What the JSON of a message must look like: `hospital: string`, `beds: int?`, or `{ type: int, unit: beds, nullable: true }`. */
import { z } from 'zod';
import { type Event, type Field, hidden, isPersonal, parseDuration, type Schema } from '../../runtime/stream/index.ts';

const typeNames = ['string', 'bool', 'int', 'float', 'timestamp', 'duration', 'json'] as const;
type TypeName = (typeof typeNames)[number];

const shortField = z
  .string()
  .regex(
    new RegExp(`^(?:${typeNames.join('|')})\\??$`),
    `a type is one of ${typeNames.join(', ')}, with ? when it may be absent`,
  );

const longField = z.strictObject({
  type: z.enum(typeNames).describe('type of the field'),
  nullable: z.boolean().optional().describe('may be absent or null'),
  unit: z.string().optional().describe('unit of a number'),
  description: z.string().optional().describe('what it says'),
  privacy: z.enum(['direct', 'quasi', 'health']).optional().describe('how closely it points at a person'),
  repeated: z.boolean().optional().describe('few distinct values'),
  values: z.array(z.string()).min(1).optional().describe('the only values of a string'),
});

export const eventFields = z
  .record(
    z.string().regex(/^[a-z_][a-z0-9_]*$/i, 'a field name has letters, digits and _'),
    z.union([shortField, longField]),
  )
  .refine((fields) => Object.keys(fields).length > 0, 'a schema needs at least one field');

export type EventFields = z.output<typeof eventFields>;

interface Reader {
  readonly name: string;
  readonly nullable: boolean;
  /** The value, or undefined when it is of another type. */
  readonly read: (value: unknown) => unknown;
  readonly wanted: string;
}

const isoWithZone = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

function readTimestamp(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15 ? value : undefined;
  if (typeof value !== 'string' || !isoWithZone.test(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

const readers: Readonly<Record<TypeName, { read: (value: unknown) => unknown; wanted: string }>> = {
  string: { read: (value) => (typeof value === 'string' ? value : undefined), wanted: 'a string' },
  bool: { read: (value) => (typeof value === 'boolean' ? value : undefined), wanted: 'true or false' },
  int: { read: (value) => (Number.isSafeInteger(value) ? value : undefined), wanted: 'a whole number' },
  float: { read: (value) => (Number.isFinite(value) ? value : undefined), wanted: 'a number' },
  timestamp: { read: readTimestamp, wanted: 'a time: ISO 8601 with its zone, or ms since 1970' },
  duration: {
    read: (value) => (typeof value === 'string' ? parseDuration(value) : Number.isFinite(value) ? value : undefined),
    wanted: 'a duration: ms, or a text such as 1h30m',
  },
  json: { read: (value) => value, wanted: 'JSON' },
};

export interface EventSchema {
  readonly schema: Schema;
  /** The event of a JSON value, or what is wrong with it. Fields that are not in the schema are left out. */
  read(value: unknown): { readonly event: Event } | { readonly reason: string };
}

export function compileEventSchema(fields: EventFields): EventSchema {
  const schema: Record<string, Field> = {};
  const list: Reader[] = [];
  for (const [name, short] of Object.entries(fields)) {
    const spec =
      typeof short === 'string'
        ? { type: short.replace('?', '') as TypeName, nullable: short.endsWith('?') }
        : { ...short, nullable: short.nullable === true };
    const { type, nullable, values, ...extra } = { values: undefined, ...spec };
    const given = Object.fromEntries(Object.entries(extra).filter(([, value]) => value !== undefined));
    schema[name] = {
      type: type === 'string' && values ? { kind: 'string', values } : { kind: type },
      ...(nullable ? { nullable } : {}),
      ...given,
    };
    const { read, wanted } = readers[type];
    const allowed = values && new Set<unknown>(values);
    list.push({
      name,
      nullable,
      read: allowed ? (value) => (allowed.has(value) ? value : undefined) : read,
      wanted: values ? `one of ${values.join(', ')}` : wanted,
    });
  }
  return {
    schema: { fields: schema },
    read(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return { reason: 'it is not a JSON object' };
      const event: Event = {};
      for (const { name, nullable, read, wanted } of list) {
        const given = Object.hasOwn(value, name) ? (value as Event)[name] : undefined;
        if (given === undefined || given === null) {
          if (!nullable) return { reason: `${name} is missing` };
          event[name] = null;
          continue;
        }
        const result = read(given);
        if (result === undefined) {
          const shown = isPersonal(schema[name] as Field) ? hidden : JSON.stringify(given).slice(0, 60);
          return { reason: `${name} is ${shown}, not ${wanted}` };
        }
        event[name] = result;
      }
      return { event };
    },
  };
}
