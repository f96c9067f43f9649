/** What is taken from an answer: values by path, each of a declared type. */
import { z } from 'zod';
import { type Event, type Field, hidden } from '../../runtime/stream/index.ts';

const typeNames = ['string', 'bool', 'int', 'float', 'timestamp', 'json'] as const;
type TypeName = (typeof typeNames)[number];

const pathPattern = /^[^.[\]]+(?:\.[^.[\]]+|\[\d+\])*$/;

const longTake = z.strictObject({
  type: z.enum(typeNames),
  path: z
    .string()
    .regex(pathPattern, 'a path is names and places: data.beds[0].free')
    .optional()
    .describe('where it stands in the answer (default: the name of the field)'),
  unit: z.string().optional(),
  description: z.string().optional(),
  privacy: z.enum(['direct', 'quasi', 'health']).optional(),
});

export const takesOption = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_]*$/, 'a field is named in snake_case'),
    z.union([z.enum(typeNames), longTake]),
  )
  .refine((takes) => Object.keys(takes).length > 0, 'at least one field is set');

export interface Take {
  readonly name: string;
  readonly type: TypeName;
  readonly steps: readonly (string | number)[];
  readonly field: Field;
}

export function takesOf(option: z.output<typeof takesOption>): Take[] {
  return Object.entries(option).map(([name, written]) => {
    const { type, path = name, ...rest } = typeof written === 'string' ? { type: written } : written;
    const steps = [...path.matchAll(/[^.[\]]+|\[(\d+)\]/g)].map((match) =>
      match[1] === undefined ? match[0] : Number(match[1]),
    );
    const extra = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    return { name, type, steps, field: { type: { kind: type }, nullable: true, ...extra } };
  });
}

/** The values that an answer has; what is absent is null. Throws when one is of another type: it is never guessed at. */
export function takeFrom(answer: unknown, takes: readonly Take[], { hidesAnswers }: { hidesAnswers: boolean }): Event {
  const values: Event = {};
  for (const take of takes) {
    const found = take.steps.reduce<unknown>((value, step) => stepInto(value, step), answer) ?? null;
    const value = found === null ? null : convert(found, take.type);
    if (value === undefined) {
      const shown = hidesAnswers ? hidden : JSON.stringify(found)?.slice(0, 60);
      throw new Error(`${take.name} of the answer is ${shown}, which is no ${take.type}`);
    }
    values[take.name] = value;
  }
  return values;
}

function stepInto(value: unknown, step: string | number): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  if (typeof step === 'number') return Array.isArray(value) ? value[step] : undefined;
  return Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
}

function convert(value: unknown, type: TypeName): unknown {
  switch (type) {
    case 'json':
      return value;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'int':
      return Number.isSafeInteger(value) ? value : undefined;
    case 'float':
      return typeof value === 'number' ? value : undefined;
    case 'timestamp': {
      if (Number.isSafeInteger(value)) return value;
      if (typeof value !== 'string' || !/T.*(?:Z|[+-]\d\d:?\d\d)$/.test(value)) return undefined;
      const time = Date.parse(value);
      return Number.isNaN(time) ? undefined : time;
    }
  }
}
