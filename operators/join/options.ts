/** Options of `join`, and which of its three kinds they ask for. */
import { z } from 'zod';
import { type Checker, duration, fieldName, input } from '../../runtime/stream/index.ts';
import { tableFileOption } from '../support/table-file.ts';

const names = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const span = z.union([z.literal('forever'), duration()]);

export const joinOptions = z.strictObject({
  left: input().optional().describe('the stream whose events are completed'),
  from: input().optional().describe('the same as `left`, for a join with a table'),
  right: input().optional().describe('the stream that completes them'),
  table: tableFileOption
    .optional()
    .describe(
      'a small file that completes them, read when the topology starts: what is changed in it counts from the next start on, and `mach why` of earlier rows wants it as it was',
    ),
  on: z
    .union([names, z.strictObject({ left: names, right: names })])
    .describe('the fields that must be equal; null never equals'),
  keep: z.literal('latest').optional().describe('temporal: the newest right event at the time of the left event'),
  within: z
    .union([
      z.literal('forever'),
      duration(),
      z.strictObject({ before: span.optional(), after: span.optional(), until: fieldName().optional() }),
    ])
    .optional()
    .describe(
      'temporal: the right event is at most this old; interval: how long before and after the left event the right one may lie, or `until` the time in a field of the left event (null: its own time); `forever`: however far apart, whichever comes first; a row has the later of the two times',
    ),
  history: duration().optional().describe('temporal: how far back a left event may lie to get the value of then (24h)'),
  kind: z
    .enum(['inner', 'left'])
    .optional()
    .describe('interval: whether left events without a partner come out (inner)'),
  lateness: duration().optional().describe('interval: how far behind the watermark an event is still joined (0s)'),
  keys: z.int().positive().optional().describe('interval: most keys held; an event with one more is dead'),
  missing: z
    .enum(['null', 'drop'])
    .or(z.null().transform(() => 'null' as const))
    .optional()
    .describe(
      'temporal, table: without a right event its fields are null, or the left event is dropped (null); with a table that counts as filtered',
    ),
  fields: z.array(z.string().min(1)).min(1).optional().describe('fields that are taken from the right (all)'),
  prefix: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, 'a prefix is in snake_case, such as beds_')
    .optional()
    .describe('stands before the names of the right fields'),
});

export type JoinOptions = z.output<typeof joinOptions>;
export type JoinKind = 'temporal' | 'interval' | 'table';

/** Options that only some kinds have. */
const belongsTo: Readonly<Record<string, readonly JoinKind[]>> = {
  keep: ['temporal'],
  history: ['temporal'],
  kind: ['interval'],
  keys: ['interval'],
  lateness: ['interval'],
  missing: ['temporal', 'table'],
  within: ['temporal', 'interval'],
};

export function isInterval({ within }: JoinOptions): boolean {
  return typeof within === 'object' || within === 'forever';
}

/** The kind that the options ask for; null, with a problem recorded, when they ask for none or several. */
export function kindOf(options: JoinOptions, check: Checker): JoinKind | null {
  if (options.left !== undefined && options.from !== undefined) {
    check.problem('from', '`left` and `from` are one and the same', 'keep `left`');
    return null;
  }
  if (options.left === undefined && options.from === undefined) {
    check.problem([], 'there is no left stream', 'add `left: NODE`');
    return null;
  }
  if ((options.right === undefined) === (options.table === undefined)) {
    const both = options.right !== undefined;
    check.problem(
      both ? 'table' : [],
      both ? 'there is a right stream already' : 'there is nothing to join with',
      'give either `right` or `table`',
    );
    return null;
  }
  const kind = options.table ? 'table' : isInterval(options) ? 'interval' : 'temporal';
  for (const [name, kinds] of Object.entries(belongsTo)) {
    if (options[name as keyof JoinOptions] === undefined || kinds.includes(kind)) continue;
    check.problem(
      name,
      `a join of the kind ${kind} has no option ${name}`,
      `it belongs to the kind ${kinds.join(' and ')}`,
    );
  }
  return kind;
}
