import { describe, expect, it } from 'vitest';
import { event, schema } from './fixtures.ts';
import { compileAggregateExpression } from './index.ts';

describe('compileAggregateExpression', () => {
  it.each([
    ['count()', 'count', 'int', false, []],
    ['count(kind == "arrival")', 'count', 'int', false, ['kind']],
    ['sum(minutes)', 'sum', 'int', false, ['minutes']],
    ['sum(waited)', 'sum', 'duration', false, ['waited']],
    ['mean(minutes)', 'mean', 'float', false, ['minutes']],
    ['mean(minutes / beds)', 'mean', 'float', true, ['minutes', 'beds']],
    ['min(at)', 'min', 'timestamp', false, ['at']],
    ['max(minutes, urgent)', 'max', 'int', true, ['minutes', 'urgent']],
    ['quantile(minutes, 0.5)', 'quantile', 'float', false, ['minutes']],
    ['distinct(hospital)', 'distinct', 'int', false, ['hospital']],
    ['approx_distinct(ward)', 'approx_distinct', 'int', false, ['ward']],
    ['first(ward)', 'first', 'string', true, ['ward']],
    ['last(codes)', 'last', 'list', false, ['codes']],
    ['sum(raw.count)', 'sum', 'float', false, ['raw']],
  ] as const)('%s', (source, call, kind, nullable, fields) => {
    expect(compileAggregateExpression(source, schema)).toMatchObject({
      ok: true,
      call,
      type: { kind },
      nullable,
      fields,
    });
  });

  it('compiles the argument, the condition and the level', () => {
    const compiled = compileAggregateExpression('quantile(minutes * 2, 0.9, urgent)', schema);
    expect(compiled).toMatchObject({ ok: true, quantile: 0.9 });
    if (!compiled.ok) return;
    expect(compiled.argument?.evaluate(event)).toBe(500);
    expect(compiled.condition?.evaluate(event)).toBe(true);
    expect(compiled.condition?.evaluate({ ...event, urgent: null })).toBe(false);
  });

  it.each([
    ['minutes', 'MACH1217', 'minutes'],
    ['max(minutes) + 1', 'MACH1217', 'max(minutes) + 1'],
    ['cuont()', 'MACH1217', 'cuont'],
    ['avg(minutes)', 'MACH1217', 'avg'],
    ['max()', 'MACH1217', 'max()'],
    ['count(1, 2)', 'MACH1217', 'count(1, 2)'],
    ['count(minutes)', 'MACH1217', 'minutes'],
    ['sum(hospital)', 'MACH1217', 'hospital'],
    ['quantile(minutes, 95)', 'MACH1217', '95'],
    ['quantile(minutes, beds)', 'MACH1217', 'beds'],
    ['max(mintues)', 'MACH1203', 'mintues'],
    ['max(minutes, kind == "arival")', 'MACH1215', '"arival"'],
    ['count(', 'MACH1210', '('],
  ])('%s has the problem %s at %s', (source, code, marked) => {
    const compiled = compileAggregateExpression(source, schema);
    expect(compiled).toMatchObject({ ok: false });
    if (compiled.ok) return;
    expect(compiled.problems.map((each) => [each.code, source.slice(each.offset, each.offset + each.length)])).toEqual([
      [code, marked],
    ]);
  });
});
