import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  watermark,
} from '../../runtime/testing/operator-harness.ts';
import { tableLimits } from '../support/table-file.ts';
import { bothSides, left, optionsFor, right, type Seen, temporal } from './join.fixture.ts';
import { join } from './join.ts';

describe('temporal join', () => {
  it.each([{}, { within: '15s' }, { missing: 'drop' }])(
    'agrees with all rights ever seen, searched plainly: %o',
    (extra) => {
      const withinMs = 'within' in extra ? 15_000 : Number.POSITIVE_INFINITY;
      const run = temporal({ history: '40s', ...extra });
      fc.assert(
        fc.property(bothSides, (steps) => {
          const rights: Seen[] = [];
          const expected: Seen[] = [];
          let late = 0;
          let mark = Number.NEGATIVE_INFINITY;
          for (const step of steps) {
            if (step.kind === 'watermark') mark = Math.max(mark, step.time);
            else if (step.input === 'right') rights.push(step);
            else if (step.time < mark - 40_000) late++;
            else {
              let best: Seen | undefined;
              for (const one of rights) {
                const { hospital: key } = step.event;
                if (key === null || one.event.hospital !== key || one.time > step.time) continue;
                if (!best || one.time >= best.time) best = one;
              }
              if (best && step.time - best.time > withinMs) best = undefined;
              if (!best && 'missing' in extra) continue;
              expected.push({ event: { ...step.event, beds: best ? best.event.beds : null }, time: step.time });
            }
          }
          const result = run(steps);
          expect(result.ports.out ?? []).toEqual(expected);
          expect(result.ports.late ?? []).toHaveLength(late);
        }),
      );
    },
  );

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(temporal({ history: '40s', within: '1m' }), bothSides);
  });

  it('keeps the newest right event however old, and corrects one of the same time', () => {
    const result = temporal({ history: '1m' })([
      at(0, { hospital: 'H1', beds: 10 }, 'right'),
      at(0, { hospital: 'H1', beds: 11 }, 'right'),
      at(-5, { hospital: 'H1', beds: 9 }, 'right'),
      watermark(500_000),
      at(400_000, { hospital: 'H1', patients: 1 }, 'left'),
      at(440_000, { hospital: 'H1', patients: 2 }, 'left'),
    ]);
    expect(result.events()).toEqual([{ hospital: 'H1', patients: 2, beds: 11 }]);
    expect(result.events('late')).toEqual([{ hospital: 'H1', patients: 1 }]);
    expect(result.accounting).toMatchObject({ delivered: 4, late: 1 });
  });

  it('says in the schema that right fields may be null, and keeps their tags', () => {
    const schemas = { left, right };
    const { bound } = bindOperator({ definition: join, options: optionsFor({ prefix: 'file_' }), schema: schemas });
    expect(bound.ports.out?.fields.file_beds).toEqual({ ...right.fields.beds, nullable: true });
    const dropping = bindOperator({ definition: join, options: optionsFor({ missing: 'drop' }), schema: schemas });
    expect(dropping.bound.ports.out?.fields.beds).toEqual(right.fields.beds);
  });
});

describe('join with a table', () => {
  const folder = mkdtempSync(joinPath(tmpdir(), 'mach-join-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function file(name: string, content: string): string {
    const path = joinPath(folder, name);
    writeFileSync(path, content);
    return path;
  }

  const schema = { hospital: 'string', beds: 'int', opened: 'timestamp?', can: 'list' };
  const csv =
    '\uFEFFhospital,beds,note,opened,can\r\nH1,30,"a, b",2026-03-02T07:00:00+07:00,stroke;burn\r\nH2,20,,,\r\n';
  const run = (path: string, extra: object = {}) =>
    operatorRun({
      definition: join,
      options: {
        from: 'windows',
        table: { file: path, schema: { ...schema, can: 'list?' } },
        on: 'hospital',
        ...extra,
      },
      schema: left,
    });
  const events = [at(0, { hospital: 'H2', patients: 1 }), at(1, { hospital: 'H9', patients: 2 })];

  it('reads CSV, with null or dropping where there is no row', () => {
    const [known, unknown] = events.map(({ event }) => event);
    const nothing = { beds: null, opened: null, can: null };
    const path = file('beds.csv', csv);
    expect(run(path)(events).events()).toEqual([
      { ...known, ...nothing, beds: 20 },
      { ...unknown, ...nothing },
    ]);
    const dropped = run(path, { missing: 'drop' })(events);
    expect(dropped.events()).toEqual([{ ...known, ...nothing, beds: 20 }]);
    expect(dropped.accounting.filtered).toBe(1);
    expect(run(path)([at(0, { hospital: 'H1', patients: 1 })]).events()).toEqual([
      { hospital: 'H1', patients: 1, beds: 30, opened: Date.parse('2026-03-02T00:00:00Z'), can: ['stroke', 'burn'] },
    ]);
  });

  it('reads YAML and JSON, and a schema from a file', () => {
    const fields = file('schema.yaml', 'fields:\n  hospital: string\n  beds: { type: int, unit: beds }\n');
    for (const path of [
      file('b.yaml', '- { hospital: H2, beds: 7 }\n'),
      file('b.json', '[{"hospital":"H2","beds":7}]'),
    ]) {
      const options = { from: 'w', table: { file: path, schema: fields }, on: 'hospital', fields: ['beds'] };
      const { bound } = bindOperator({ definition: join, options, schema: left });
      expect(bound.ports.out?.fields.beds).toMatchObject({ unit: 'beds', nullable: true });
      expect(bound.stateless?.({ hospital: 'H2', patients: 1 })).toEqual({ hospital: 'H2', patients: 1, beds: 7 });
    }
  });

  it.each([
    ['a wrong cell', 'csv', 'hospital,beds\nH1,many\n', 'line 2: beds is "many", which is no int'],
    ['an empty key', 'csv', 'hospital,beds\n,3\n', 'line 2: hospital is empty'],
    ['a key twice', 'csv', 'hospital,beds\nH1,3\nH1,4\n', 'line 3 has the key H1 a second time'],
    ['a row that is too long', 'csv', 'hospital,beds\nH1,3,4\n', 'line 2'],
    [
      'a wrong cell of YAML',
      'yaml',
      '# beds\n- hospital: H1\n  beds: 3\n- hospital: H2\n  beds: many\n',
      'line 4: beds is',
    ],
    ['a wrong cell of JSON', 'json', '[\n{"hospital":"H1","beds":3},\n\n{"hospital":"H2"}]', 'line 4: beds is empty'],
    ['the name of the file', 'csv', 'hospital,beds\nH1,many\n', 'wrong.csv line 2: beds'],
    ['a column of another name', 'csv', 'hospital,bed\nH1,3\n', 'has no column beds; it has hospital, bed'],
    ['another separator', 'csv', 'hospital;beds\nH1;3\n', 'has no column hospital; it has hospital;beds'],
    ['an empty file', 'csv', '', 'the first line of a CSV file names its columns'],
    ['a field of another name', 'yaml', '- { hospital: H1, bed: 3 }\n', 'has no column beds; it has hospital, bed'],
    ['a column twice', 'csv', 'hospital,beds,beds\nH1,3,4\n', 'it has two columns beds'],
    ['a row that is no mapping', 'yaml', '- { hospital: H1, beds: 3 }\n\n- H2\n', 'line 3 is not a mapping'],
    ['no list', 'yaml', 'hospital: H1\n', 'it is not a list of rows'],
    ['broken YAML', 'yaml', '- { hospital: H1\n', 'wrong.yaml: '],
  ])('says what is wrong with a table: %s', (_, type, content, message) => {
    const options = {
      from: 'w',
      table: { file: file(`wrong.${type}`, content), schema: { hospital: 'string', beds: 'int' } },
      on: 'hospital',
    };
    expect(() => bindOperator({ definition: join, options, schema: left })).toThrow(message);
  });

  it('takes a list whose rows leave out a field that may be empty, unless it has another name there', () => {
    const options = (content: string) => ({
      from: 'w',
      table: { file: file('few.yaml', content), schema: { hospital: 'string', beds: 'int?' } },
      on: 'hospital',
    });
    const { bound } = bindOperator({ definition: join, options: options('- { hospital: H1 }\n'), schema: left });
    expect(bound.stateless?.({ hospital: 'H1', patients: 1 })).toMatchObject({ beds: null });
    const misspelt = options('- { hospital: H1, bed: 3 }\n');
    expect(() => bindOperator({ definition: join, options: misspelt, schema: left })).toThrow('no column beds');
  });

  it('takes a text as it is written, and only a list, a day and a field that there are', () => {
    const schema = { hospital: 'string', opened: 'timestamp?', can: 'list?', constructor: 'string?' };
    const options = (content: string, more: object = {}) => ({
      from: 'w',
      table: { file: file('written.yaml', content), schema },
      on: 'hospital',
      ...more,
    });
    const bind = (content: string, more?: object) =>
      bindOperator({ definition: join, options: options(content, more), schema: left }).bound;
    const bound = bind(
      '- { hospital: 007, opened: 2026-02-28T00:00:00Z, can: [1, burn] }\n- { hospital: 9007199254740993 }\n',
    );
    const nothing = { opened: null, can: null, constructor: null };
    expect(bound.stateless?.({ hospital: '007', patients: 1 })).toEqual({
      ...{ hospital: '007', patients: 1 },
      ...{ ...nothing, opened: Date.parse('2026-02-28T00:00:00Z'), can: ['1', 'burn'] },
    });
    const large = { hospital: '9007199254740993', patients: 1 };
    expect(bound.stateless?.(large)).toEqual({ ...large, ...nothing });
    const wrong = (cells: string) => () => bind(`- { hospital: H1, ${cells} }\n`);
    expect(wrong('opened: "2026-02-30T00:00:00Z"')).toThrow('which is no timestamp');
    expect(wrong('opened: "2026-13-01T00:00:00Z"')).toThrow('which is no timestamp');
    expect(wrong('opened: 9e15')).toThrow('which is no timestamp');
    expect(wrong('can: [1, null]')).toThrow('which is no list');
    expect(() => bind('- { hospital: H1 }\n', { fields: ['can', 'can'] })).toThrow('can is named twice');
  });

  it.each([
    ['an empty field alone', ',3\n', 'line 2 has no hospital, by which it would be found', 'beds'],
    ['what could not be read once', 'H1,many\n', 'line 2: beds is "many", which is no int', 'has no'],
  ])('says of a key of several fields %s', (_, row, message, unsaid) => {
    const options = {
      from: 'w',
      table: { file: file('keys.csv', `hospital,beds\n${row}`), schema: { hospital: 'string?', beds: 'int' } },
      on: { left: ['hospital', 'patients'], right: ['hospital', 'beds'] },
    };
    const problemOf = () => {
      try {
        bindOperator({ definition: join, options, schema: left });
        return 'none';
      } catch (error) {
        return String(error);
      }
    };
    expect(problemOf()).toContain(message);
    expect(problemOf()).not.toContain(unsaid);
  });

  it('says when a file is not there or too large', () => {
    const bind = (path: string) =>
      bindOperator({
        definition: join,
        options: { from: 'w', table: { file: path, schema: { hospital: 'string' } }, on: 'hospital' },
        schema: left,
      });
    expect(() => bind(joinPath(folder, 'absent.csv'))).toThrow('absent.csv cannot be read');
    expect(() => bind(file('large.csv', 'x'.repeat(tableLimits.bytesMax + 1)))).toThrow('tableLimits.bytesMax');
    expect(() => bind(file('long.csv', `hospital\n${'H\n'.repeat(tableLimits.rowsMax + 1)}`))).toThrow(
      'tableLimits.rowsMax',
    );
  });
});

describe('what is wrong with a join', () => {
  const problemsOf = (options: Record<string, unknown>, rightSchema = right): string => {
    try {
      bindOperator({ definition: join, options, schema: { left, right: rightSchema } });
    } catch (error) {
      if (error instanceof BindProblems) return JSON.stringify(error.problems);
      throw error;
    }
    return 'nothing';
  };

  it.each([
    ['a key that is not a field', { on: 'ward' }, 'is not a field'],
    ['keys of different number', { on: { left: ['hospital', 'patients'], right: 'hospital' } }, '2 fields of the left'],
    ['keys of different types', { on: { left: 'patients', right: 'hospital' } }, 'never equal'],
    ['an option of another kind', { within: { after: '1m' }, history: '1h' }, 'has no option history'],
    ['two ends', { within: { after: '1m', until: 'ends_at' } }, 'it says the same as `until`'],
    ['an end that is no time', { within: { until: 'patients' } }, 'is a int, not a timestamp'],
    ['a wait without end', { within: { after: 'forever' }, kind: 'left' }, 'would wait for ever'],
    ['a field that the right has not', { fields: ['bed'] }, 'is not a field'],
    ['two left streams', { from: 'other' }, 'one and the same'],
    ['a table beside a right stream', { table: { file: 'x.csv', schema: { a: 'int' } } }, 'a right stream already'],
  ])('%s', (_, extra, message) => {
    expect(problemsOf(optionsFor(extra))).toContain(message);
  });

  it('tells a key that is spelt wrongly once, and nothing that follows from it', () => {
    const told = problemsOf(optionsFor({ on: 'hospitl' }));
    expect(told.match(/hospitl/g)).toHaveLength(1);
    expect(told).not.toMatch(/both sides/);
  });

  it('names fields that both sides have, and how to tell them apart', () => {
    const other = { fields: { ...right.fields, patients: { type: { kind: 'int' as const } } } };
    expect(problemsOf(optionsFor({}), other)).toMatch(/both sides have a field patients.*prefix: right_/);
    expect(problemsOf(optionsFor({ prefix: 'beds_' }), other)).toBe('nothing');
    expect(problemsOf(optionsFor({ fields: ['beds'] }), other)).toBe('nothing');
  });

  it('asks for a right side and a left side', () => {
    expect(problemsOf({ left: 'w', on: 'hospital' })).toContain('either `right` or `table`');
    expect(problemsOf({ right: 'w', on: 'hospital' })).toContain('add `left: NODE`');
  });
});
