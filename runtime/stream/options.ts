/**
 * Option types that topologies share: zod schemas that say, in `meta`, what they mean to the loader.
 *
 * `mach` in the metadata: `input` (the id of a node, or `id.port`), `expression` (CEL), `field` (a field's name), `secret`.
 */
import { z } from 'zod';

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const sizeUnits: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const durationPattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;
const sizePattern = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/;

/** The longest duration, a hundred years: beyond it times can no longer be computed with. */
const durationDaysMax = 36_525;

/** `90s`, `1h30m`, `250ms` in ms; undefined when it is not a duration, or longer than `durationDaysMax`. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * (durationUnits[unit ?? ''] ?? Number.NaN);
  }
  return total > durationDaysMax * 86_400_000 ? undefined : total;
}

/** The shortest usual text of a duration: 90000 is `1m30s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let rest = durationMs;
  let text = '';
  for (const [unit, unitMs] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const) {
    const amount = unit === 'ms' ? Math.round(rest) : Math.floor(rest / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * unitMs;
  }
  return text;
}

/** A duration with its unit, `5m`; in ms after parsing. */
export function duration() {
  return z
    .string()
    .meta({ mach: 'duration', examples: ['10s', '5m', '1h30m'] })
    .transform((text, context) => {
      const value = parseDuration(text);
      if (value !== undefined) return value;
      context.addIssue({
        code: 'custom',
        message: durationPattern.test(text)
          ? `"${text}" is longer than durationDaysMax (${durationDaysMax}d)`
          : `"${text}" is not a duration: a number and a unit (ms, s, m, h, d, w), such as 30s or 1h30m`,
      });
      return z.NEVER;
    });
}

/** A size with its unit, `64MiB`; in bytes after parsing. */
export function size() {
  return z
    .string()
    .meta({ mach: 'size', examples: ['64KiB', '16MiB'] })
    .transform((text, context) => {
      const match = sizePattern.exec(text);
      if (match) return Number(match[1]) * (sizeUnits[match[2] ?? ''] ?? Number.NaN);
      context.addIssue({
        code: 'custom',
        message: `"${text}" is not a size: a number and a unit (B, KiB, MiB, GiB), such as 16MiB`,
      });
      return z.NEVER;
    });
}

declare const meaning: unique symbol;

/** The text of an input. The mark exists for the compiler alone: by it the builder knows where a stream may stand. */
export type InputReference = string & { readonly [meaning]?: 'input' };

export type InputMark = typeof meaning;

/** One upstream node: `waiting`, or a port of it, `waiting.late`. */
export function input() {
  return z.string().min(1).meta({ mach: 'input' }) as z.ZodType<string, InputReference>;
}

/** One upstream node or several. */
export function inputs() {
  return z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({ mach: 'inputs' })
    .transform((value) => (typeof value === 'string' ? [value] : value)) as z.ZodType<
    string[],
    InputReference | readonly InputReference[]
  >;
}

/** A CEL expression over the fields of the input. Numbers, booleans written plainly are taken as expressions. */
export function expression() {
  return written('expression');
}

/** A function of many events over their fields, such as `sum(x)`. What is no text is taken as one, and told of as such. */
export function aggregation() {
  return written('aggregation');
}

function written(mach: 'expression' | 'aggregation') {
  return z
    .union([z.string().min(1), z.number(), z.boolean()])
    .meta({ mach })
    .transform((value) => String(value));
}

/** The name of a field of the input. */
export function fieldName() {
  return z.string().min(1).meta({ mach: 'field' });
}

/** One field or several: a key. */
export function key() {
  return z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .meta({ mach: 'key' })
    .transform((value) => (typeof value === 'string' ? [value] : value));
}

/** Headers of HTTP requests, name to value. One line each: a line break in a value would begin a header of somebody else's. */
export function httpHeaders() {
  return z
    .record(
      z.string().regex(/^[A-Za-z0-9-]+$/, 'a header name has letters, digits and -'),
      z.string().regex(/^[^\r\n]*$/, 'a header is one line'),
    )
    .default({})
    .meta({ mach: 'secret' })
    .describe('more headers, such as authorization');
}
