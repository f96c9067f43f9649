/** What the plan says: state by its identity and migrations, tables, sources. */
import { describe, expect, it } from 'vitest';
import type { TableSpec } from '../../store/store.ts';
import type { OperatorDefinition } from '../../stream/operator-definition.ts';
import { field } from '../../stream/schema.ts';
import type { NodeState, StateMigration } from '../../stream/state-contract.ts';
import { openLab } from '../../testing/engine-lab.ts';
import { manifestOf } from './manifest.ts';
import { planUpgrade } from './plan-upgrade.ts';
import { compareState } from './state-identity.ts';
import { tableChanges } from './table-changes.ts';

const same = (state: NodeState) => state;

function definitionOf(version: number, migrations: readonly StateMigration[]): OperatorDefinition {
  return { state: { version, basis: () => ({}), migrations } } as unknown as OperatorDefinition;
}

describe('the state of a node', () => {
  const toTwo: StateMigration = { summary: 'one to two', from: 1, to: 2, migrate: same };
  const toThree: StateMigration = {
    summary: 'two to three',
    from: 2,
    to: 3,
    basis: ({ key, ...rest }) => ({ ...rest, keys: [key] }),
    migrate: same,
  };
  const identity = (version: number, basis: Record<string, unknown>) => ({ definition: 'counted', version, basis });

  it('goes from version to version by the migrations between them', () => {
    const verdict = compareState(
      identity(1, { key: 'a' }),
      identity(3, { keys: ['a'] }),
      definitionOf(3, [toTwo, toThree]),
    );
    expect(verdict).toMatchObject({ kind: 'migrated', steps: [{ migration: toTwo }, { migration: toThree }] });
  });

  it('is lost where a migration is missing, with the versions', () => {
    const verdict = compareState(identity(1, { key: 'a' }), identity(3, { keys: ['a'] }), definitionOf(3, [toThree]));
    expect(verdict).toEqual({ kind: 'lost', reason: 'nothing takes its state from version 1 to 2' });
  });

  it('is lost when it is of a later engine, of another operator, or hangs on something else', () => {
    const definition = definitionOf(1, []);
    expect(compareState(identity(2, {}), identity(1, {}), definition)).toMatchObject({
      reason: 'its state has version 2; this engine knows it up to version 1',
    });
    expect(compareState({ ...identity(1, {}), definition: 'other' }, identity(1, {}), definition)).toMatchObject({
      reason: 'it was a other and is a counted',
    });
    expect(compareState(identity(1, { key: 'a', size: 1 }), identity(1, { key: 'a', size: 2 }), definition)).toEqual({
      kind: 'lost',
      reason: 'its state hangs on size',
    });
  });

  it('is kept whatever else changes', () => {
    expect(compareState(identity(1, { key: 'a' }), identity(1, { key: 'a' }), definitionOf(1, []))).toEqual({
      kind: 'kept',
    });
  });
});

describe('tables', () => {
  const table: TableSpec = {
    name: 'beds',
    schema: {
      fields: {
        hospital: field.string(),
        at: field.timestamp(),
        beds: field.int(),
        note: field.string({ nullable: true }),
      },
    },
    orderBy: ['hospital', 'at'],
    rows: 'append',
  };
  const changeTo = (change: Partial<TableSpec>) => tableChanges([table], [{ ...table, ...change }])[0];
  const withField = (name: string, type: TableSpec['schema']['fields'][string]) => ({
    schema: { fields: { ...table.schema.fields, [name]: type } },
  });

  it('are created, left, or stay as they are', () => {
    expect(tableChanges([], [table])).toEqual([{ table: 'beds', verdict: 'created', changes: [] }]);
    expect(tableChanges([table], [])[0]).toMatchObject({ verdict: 'left' });
    expect(changeTo({})).toEqual({ table: 'beds', verdict: 'unchanged', changes: [] });
  });

  it('get new columns, keep old ones, and take what fits', () => {
    expect(changeTo(withField('free', field.int()))).toMatchObject({
      verdict: 'altered',
      changes: [expect.stringContaining('free (Int64) is added')],
    });
    expect(changeTo(withField('note', field.string()))).toMatchObject({
      verdict: 'altered',
      changes: [expect.stringContaining('which takes String')],
    });
    const { beds: _beds, ...fewer } = table.schema.fields;
    expect(changeTo({ schema: { fields: fewer } })).toMatchObject({
      verdict: 'altered',
      changes: [expect.stringContaining('beds is written no more')],
    });
    expect(changeTo({ timeField: 'at', keepMs: 86_400_000 })).toMatchObject({ verdict: 'altered' });
  });

  it.each([
    [
      'a number that becomes a fraction',
      withField('beds', field.float()),
      'ALTER TABLE beds MODIFY COLUMN beds Float64',
    ],
    [
      'a number that may be absent',
      withField('beds', field.int({ nullable: true })),
      'MODIFY COLUMN beds Nullable(Int64)',
    ],
    [
      'a text that becomes a number',
      withField('note', field.int({ nullable: true })),
      'not every Nullable(String) is a Nullable(Int64)',
    ],
    ['a column of the key', withField('hospital', field.int()), 'hospital is part of the sorting key'],
    ['another key', { orderBy: ['hospital'] }, 'RENAME TABLE beds TO beds_before'],
    ['other rows', { rows: 'latest' as const }, 'write to a table of another name'],
  ])('are refused, with what to do, for %s', (_, change, remedy) => {
    expect(changeTo(change)).toMatchObject({ verdict: 'refused', remedy: expect.stringContaining(remedy) });
  });
});

describe('the plan of two versions', () => {
  const text = (source: string, more = '') => `
version: 1
name: planned
sources:
  beds: ${source}
${more}
operators:
  order: { numbered: { from: beds } }
sinks:
  rows: { collect: { from: order } }
`;
  const lab = openLab({ topology: text('{ pulses: {} }') });
  const planOf = (before: string, after: string, partitions = [1, 1]) => {
    const [old, next] = [lab.bind(before), lab.bind(after)];
    const definitions = new Map(next.operators.map((node) => [node.id, node.definition]));
    const [was = 1, is = 1] = partitions;
    return planUpgrade(manifestOf(old, { partitions: was }), manifestOf(next, { partitions: is }), { definitions });
  };
  const plain = text('{ pulses: {} }');

  it('says which sources stay open', () => {
    const open = (source: string) => planOf(plain, text(source)).sources[0]?.staysOpen;
    expect(open('{ pulses: {} }')).toBe(true);
    expect(open('{ pulses: {}, disorder: 7s }')).toBe(true);
    expect(open('{ pulses: {}, idle: 7m }')).toBe(false);
    expect(open('{ pulses: { decodes: false } }')).toBe(false);
    expect(planOf(plain, plain)).toMatchObject({ same: true, refusals: [], lost: [] });
  });

  it('refuses another name, other partitions, another durability of the log', () => {
    expect(planOf(plain, plain.replace('planned', 'another')).refusals).toEqual([
      expect.stringContaining('two topologies'),
    ]);
    expect(planOf(plain, plain, [1, 4]).refusals).toEqual([expect.stringContaining('it runs with 1 partition, not 4')]);
    const weaker = planOf(plain, text('{ pulses: {}, durability: broker }'));
    expect(weaker.refusals).toEqual([expect.stringContaining('its log has the durability disk')]);
  });

  it('compares a manifest that was read with one that was made', () => {
    const manifest = manifestOf(lab.bind(plain));
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });
});
