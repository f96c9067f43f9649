/** Completes the events of one stream from another stream, or from a table. */
import {
  type BoundOperator,
  type Checker,
  completing,
  defineOperator,
  fieldNames,
  keyOfValue,
  limits,
  type Schema,
  type StateKey,
  type StatelessFunction,
} from '../../runtime/stream/index.ts';
import { describeKey, equalityKey } from '../support/state-key.ts';
import { readTable, type Table } from '../support/table-file.ts';
import { bindFields, type JoinFields, readsOfJoin } from './fields.ts';
import { bindInterval } from './interval.ts';
import { type JoinOptions, joinOptions, kindOf } from './options.ts';
import { joinBasis, joinMigrations, joinStateVersion } from './state.ts';
import { bindTemporal } from './temporal.ts';

const historyDefaultMs = 86_400_000;
const nothing: Schema = { fields: {} };

export const join = defineOperator({
  name: 'join',
  status: 'stable',
  summary:
    'Completes events of the left stream: with the newest right event of their time, with right events close in time, or from a table.',
  options: joinOptions.describe(
    'temporal (`right`): what has come by then counts, nothing waits; where both sides come of one event, the one written first in the file comes first',
  ),
  examples: [
    {
      title: 'the newest bed file at the time of a window',
      options: { left: 'windows', right: 'beds', on: 'hospital', keep: 'latest' },
      in: {
        left: [{ hospital: 'H1', patients: 31, $time: 20 }],
        right: [
          { hospital: 'H1', beds: 30, $time: 10 },
          { hospital: 'H1', beds: 24, $time: 30 },
        ],
      },
      out: [{ hospital: 'H1', patients: 31, beds: 30 }],
    },
    {
      title: 'ambulances that arrive up to half an hour after the warning',
      options: { left: 'warnings', right: 'arrivals', on: 'unit', within: { after: '30m' }, kind: 'left' },
      in: {
        left: [
          { unit: 'A1', patients: 2, $time: 0 },
          { unit: 'A2', patients: 1, $time: 0 },
        ],
        right: [{ unit: 'A1', hospital: 'H1', $time: 600_000 }],
      },
      out: [
        { unit: 'A1', patients: 2, hospital: 'H1' },
        { unit: 'A2', patients: 1, hospital: null },
      ],
    },
    {
      title: 'the patients whom an ambulance takes while its shift lasts',
      options: { left: 'shifts', right: 'patients', on: 'unit', within: { until: 'ends_at' } },
      schema: {
        left: { fields: { unit: { type: { kind: 'string' } }, ends_at: { type: { kind: 'timestamp' } } } },
        right: { fields: { unit: { type: { kind: 'string' } }, patient: { type: { kind: 'string' } } } },
      },
      in: {
        left: [{ unit: 'A1', ends_at: 600_000, $time: 0 }],
        right: [
          { unit: 'A1', patient: 'P1', $time: 600_000 },
          { unit: 'A1', patient: 'P2', $time: 600_001 },
        ],
      },
      out: [{ unit: 'A1', ends_at: 600_000, patient: 'P1' }],
    },
    {
      title: 'orders and results of a laboratory, whichever comes first',
      options: { left: 'orders', right: 'results', on: 'order', within: 'forever' },
      in: {
        left: [{ order: 'L1', patient: 'P1', $time: 60_000 }],
        right: [{ order: 'L1', value: 7, $time: 0 }],
      },
      out: [{ order: 'L1', patient: 'P1', value: 7 }],
    },
    {
      title: 'the names of hospitals, from a file beside the topology',
      options: {
        from: 'windows',
        table: { file: 'topologies/data/hospitals.csv', schema: { hospital: 'string', name: 'string' } },
        on: 'hospital',
      },
      in: [
        { hospital: 'H1', patients: 31 },
        { hospital: 'H99', patients: 2 },
      ],
      out: [
        { hospital: 'H1', patients: 31, name: 'Bệnh viện Thử nghiệm An Bình' },
        { hospital: 'H99', patients: 2, name: null },
      ],
    },
  ],
  state: { version: joinStateVersion, basis: joinBasis, migrations: joinMigrations },
  bind({ options, inputs, check }) {
    const leftInput = options.left === undefined ? 'from' : 'left';
    const left = inputs[leftInput]?.schema ?? nothing;
    const kind = kindOf(options, check);
    if (kind === null) return { ports: { out: left }, stateless: (event) => event };
    const drop = options.missing === 'drop';
    if (kind === 'table') {
      const table = readTable(options.table as NonNullable<JoinOptions['table']>, 'table', check);
      const fields = bindFields({ options, left, right: table.schema, optional: !drop, check });
      return bindTable(table, fields, { left, drop, check });
    }
    const right = inputs.right?.schema ?? nothing;
    if (kind === 'temporal') {
      const fields = bindFields({ options, left, right, optional: !drop, check });
      const withinMs = typeof options.within === 'number' ? options.within : Number.POSITIVE_INFINITY;
      return bindTemporal({ fields, leftInput, historyMs: options.history ?? historyDefaultMs, withinMs, drop });
    }
    const keepUnmatched = options.kind === 'left';
    const fields = bindFields({ options, left, right, optional: keepUnmatched, check });
    return bindInterval({ fields, leftInput, keepUnmatched, ...readSpan(options, left, check) });
  },
});

/** How far apart the two events of a pair may lie. */
function readSpan(options: JoinOptions, left: Schema, check: Checker) {
  const { within, kind, lateness = 0, keys = limits.stateKeysMax } = options;
  const given = typeof within === 'object' ? within : ({ before: 'forever', after: 'forever' } as const);
  const spanOf = (span: number | 'forever' | undefined) =>
    span === 'forever' ? Number.POSITIVE_INFINITY : (span ?? 0);
  const { before, after, until } = given as { before?: 'forever'; after?: 'forever'; until?: string };
  if (until !== undefined) {
    check.field(['within', 'until'], left, 'timestamp');
    if (after !== undefined) check.problem(['within', 'after'], 'it says the same as `until`', 'keep one of the two');
  }
  if (after === 'forever' && kind === 'left')
    check.problem('kind', 'a left event would wait for ever before it comes out alone', 'give `within` an end');
  return { beforeMs: spanOf(before), afterMs: spanOf(after), until, latenessMs: lateness, keysMax: keys };
}

function bindTable(
  table: Table,
  fields: JoinFields,
  { left, drop, check }: { left: Schema; drop: boolean; check: Checker },
): BoundOperator {
  const rows = rowsByKey(table, fields, check);
  const taken = new Set(fields.taken.map(({ to }) => to));
  return {
    ports: { out: fields.schema },
    reads: readsOfJoin(fields),
    spread: { kind: 'each', unchanged: Object.keys(fields.schema.fields).filter((name) => !taken.has(name)) },
    stateless: lookingUp(rows, fields, { left, drop }),
  };
}

function rowsByKey(table: Table, fields: JoinFields, check: Checker): ReadonlyMap<StateKey, readonly unknown[]> {
  const rows = new Map<StateKey, readonly unknown[]>();
  const rightKey = equalityKey(fields.rightKey);
  const complain = (message: string) => check.problem(['table', 'file'], `${table.file} ${message}`);
  for (const [row, event] of table.rows.entries()) {
    const key = rightKey(event);
    if (key === null) {
      // What could not be read has been told.
      const empty = fields.rightKey.filter((name) => event[name] === null);
      if (empty.length > 0)
        complain(`line ${table.lineOf(row)} has no ${empty.join(', ')}, by which it would be found`);
    } else if (rows.has(key))
      complain(
        `line ${table.lineOf(row)} has the key ${describeKey(event, fields.rightKey, table.schema)} a second time`,
      );
    else rows.set(key, fields.take(event));
  }
  return rows;
}

function lookingUp(
  rows: ReadonlyMap<StateKey, readonly unknown[]>,
  { leftKey, taken, join }: JoinFields,
  { left, drop }: { left: Schema; drop: boolean },
): StatelessFunction {
  const [key, ...others] = leftKey;
  if (key !== undefined && others.length === 0) {
    const find = (value: unknown) => rows.get(keyOfValue(value)) ?? null;
    return completing({ key, find, kept: fieldNames(left), added: taken.map(({ to }) => to), drop });
  }
  const keyOf = equalityKey(leftKey);
  return (event) => {
    const own = keyOf(event);
    const found = own === null ? null : (rows.get(own) ?? null);
    return found === null && drop ? null : join(event, found);
  };
}
