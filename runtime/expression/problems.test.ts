import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { event, schema } from './fixtures.ts';
import { compileExpression, expressionErrors, type Wanted } from './index.ts';

/** Problems as `CODE text under which the line is drawn -> suggestion`. */
function problemsOf(source: string, wanted?: Wanted): string[] {
  const compiled = compileExpression(source, schema, wanted ? { wanted } : {});
  if (compiled.ok) return [];
  return compiled.problems.map(({ code, offset, length, suggestion }) => {
    expect(expressionErrors.list).toHaveProperty(code);
    const marked = source.slice(offset, offset + length);
    return suggestion === undefined ? `${code} ${marked}` : `${code} ${marked} -> ${suggestion}`;
  });
}

describe('problems of an expression', () => {
  it.each([
    ['mintues > 240', 'MACH1203 mintues -> minutes'],
    ['event.mintues > 240', 'MACH1203 mintues -> minutes'],
    ['event["mintues"] > 240', 'MACH1203 "mintues" -> minutes'],
    ['place.lot', 'MACH1203 lot -> lat'],
    ['constructor', 'MACH1203 constructor'],
    ['place.constructor', 'MACH1203 constructor'],
    ['minutes = 240', 'MACH1210 = -> =='],
    ['urgent and has(ward)', 'MACH1210 and -> &&'],
    ['not urgent', 'MACH1210 not -> !'],
    ['urgent &&', 'MACH1210 &'],
    ['(minutes > 3', 'MACH1210 3'],
    ['hospital == "H1', 'MACH1210 "H1'],
    ['b"abc" == hospital', 'MACH1210 b"abc"'],
    ['minutes > "240"', 'MACH1211 "240" -> 240'],
    ['hospital == 1', 'MACH1211 1 -> "1"'],
    ['at > "2026-03-02T00:00:00Z"', 'MACH1211 "2026-03-02T00:00:00Z" -> timestamp("2026-03-02T00:00:00Z")'],
    ['waited > 300', 'MACH1211 300 -> duration("300s")'],
    ['waited > "5m"', 'MACH1211 "5m" -> duration("5m")'],
    ['minutes > duration("4h")', 'MACH1211 minutes > duration("4h")'],
    ['urgent > false', 'MACH1211 urgent > false'],
    ['ward > null', 'MACH1211 ward > null'],
    ['minutes && urgent', 'MACH1211 minutes'],
    ['minutes ? 1 : 2', 'MACH1211 minutes'],
    ['urgent ? 1 : "x"', 'MACH1211 urgent ? 1 : "x"'],
    ['"bed " + beds', 'MACH1211 "bed " + beds -> "bed " + string(beds)'],
    ['at + at', 'MACH1211 at + at'],
    ['[1, "x"]', 'MACH1211 "x"'],
    ['codes[hospital]', 'MACH1211 hospital'],
    ['minutes.lat', 'MACH1211 lat'],
    ['beds in codes', 'MACH1211 beds in codes'],
    ['beds in 3', 'MACH1211 3'],
    ['99999999999999999999', 'MACH1211 99999999999999999999'],
    ['startWith(hospital, "H")', 'MACH1212 startWith -> startsWith'],
    ['hospital.startWith("H")', 'MACH1212 startWith -> startsWith'],
    ['hospital.matches("(a)\\\\1")', 'MACH1214 "(a)\\\\1"'],
    ['hospital.matches("(")', 'MACH1214 "("'],
    ['kind == "arival"', 'MACH1215 "arival" -> "arrival"'],
    ['"arival" != kind', 'MACH1215 "arival" -> "arrival"'],
    ['kind in ["arrival", "dischrge"]', 'MACH1215 "dischrge" -> "discharge"'],
    ['hour(at)', 'MACH1216 hour'],
    ['hour(at, "Asia/Ho_Chi_Min")', 'MACH1216 "Asia/Ho_Chi_Min" -> "Asia/Ho_Chi_Minh"'],
    ['hour(minutes, "UTC")', 'MACH1216 minutes'],
    ['timestamp("2026-03-02")', 'MACH1216 "2026-03-02"'],
    ['duration("5 minutes")', 'MACH1216 "5 minutes"'],
    ['hospital.matches(hospital)', 'MACH1216 hospital'],
    ['max(minutes, hospital)', 'MACH1216 max'],
    ['minutes.exists(x, x > 1)', 'MACH1216 minutes'],
    ['codes.exists("x", true)', 'MACH1210 "x"'],
    ['codes.exists(c, c)', 'MACH1211 c'],
  ])('%s: %s', (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  });

  it('come all at once, in the order of the text', () => {
    expect(problemsOf('mintues > 240 && kind == "arival" || foo(bed) && waited > 3')).toEqual([
      'MACH1203 mintues -> minutes',
      'MACH1215 "arival" -> "arrival"',
      'MACH1212 foo',
      'MACH1203 bed -> beds',
      'MACH1211 3 -> duration("3s")',
    ]);
  });

  it.each([
    ['minutes', 'bool', 'MACH1211 minutes'],
    ['urgent', 'number', 'MACH1211 urgent'],
    ['"5m"', 'duration', 'MACH1211 "5m" -> duration("5m")'],
    [' minutes > 3 ', 'string', 'MACH1211 minutes > 3'],
    ['score', 'int', 'MACH1211 score'],
  ] as const)('%s where a %s is wanted', (source, wanted, problem) => {
    expect(problemsOf(source, wanted)).toEqual([problem]);
  });

  it('has bounds on length and depth, and names them', () => {
    const tooLong = `minutes > 1 ${'|| minutes > 1 '.repeat(1_000)}`;
    const tooDeep = [`${'('.repeat(200)}1${')'.repeat(200)}`, `${'!'.repeat(9_000)}urgent`, `1${' + 1'.repeat(500)}`];
    expect(messagesOf(tooLong)[0]).toContain('expressionLengthMax');
    for (const source of tooDeep) expect(messagesOf(source)[0]).toContain('expressionDepthMax');
    expect(messagesOf(`beds in [${'1,'.repeat(limits.expressionListItemsMax + 1)}]`)[0]).toContain(
      'expressionListItemsMax',
    );
    // A chain of one logical operator is one level, however long.
    expect(compileExpression(`minutes > 1${' || minutes > 1'.repeat(600)}`, schema).ok).toBe(true);
  });

  function messagesOf(source: string): string[] {
    const compiled = compileExpression(source, schema);
    return compiled.ok ? [] : compiled.problems.map(({ message }) => message);
  }
});

describe('what was compiled', () => {
  it.each([
    ['minutes', 'int', false, ['minutes']],
    ['minutes / beds', 'float', true, ['minutes', 'beds']],
    ['minutes / 2', 'float', false, ['minutes']],
    ['ward', 'string', true, ['ward']],
    ['coalesce(ward, "none")', 'string', false, ['ward']],
    ['at - at', 'duration', false, ['at']],
    ['at + waited', 'timestamp', false, ['at', 'waited']],
    ['waited * 2', 'duration', false, ['waited']],
    ['raw.a.b', 'json', true, ['raw']],
    ['urgent', 'bool', true, ['urgent']],
    ['urgent && minutes > 3', 'bool', false, ['minutes', 'urgent']],
    ['codes', 'list', false, ['codes']],
  ] as const)('%s: type %s, nullable %s, reads %s', (source, kind, nullable, fields) => {
    const compiled = compileExpression(source, schema);
    expect(compiled).toMatchObject({ ok: true, type: { kind }, nullable, fields });
  });

  it('gives true or false for a condition, and never null', () => {
    const compiled = compileExpression('urgent', schema, { wanted: 'bool' });
    expect(compiled).toMatchObject({ ok: true, nullable: false });
    if (compiled.ok) expect(compiled.evaluate({ ...event, urgent: null })).toBe(false);
  });

  it('keeps a JSON value to the type that is wanted', () => {
    const compiled = compileExpression('raw.x', schema, { wanted: 'string' });
    expect(compiled).toMatchObject({ ok: true, type: { kind: 'string' }, nullable: true });
    if (!compiled.ok) return;
    expect(compiled.evaluate({ raw: { x: 'a' } })).toBe('a');
    expect(compiled.evaluate({ raw: { x: 4 } })).toBeNull();
  });

  it('takes variables, which hide fields and are not read from the event', () => {
    const variables = { minutes: { type: { kind: 'string' } }, limit: { type: { kind: 'int' } } } as const;
    const compiled = compileExpression('minutes == "x" && event.minutes > limit', schema, { variables });
    expect(compiled).toMatchObject({ ok: true, fields: ['minutes'] });
    if (!compiled.ok) return;
    expect(compiled.evaluate(event, { minutes: 'x', limit: 249 })).toBe(true);
    expect(compiled.evaluate(event, { minutes: 'x', limit: 250 })).toBe(false);
    expect(compiled.evaluate(event)).toBe(false);
  });

  it('stops macros at their bound, afresh for each event', () => {
    const many = { ...event, loads: Array.from({ length: 400 }, () => 1) };
    const compiled = compileExpression('loads.map(a, loads.map(b, a + b)).size()', schema);
    expect(compiled).toMatchObject({ ok: true });
    if (!compiled.ok) return;
    expect(compiled.evaluate(many)).toBeNull();
    expect(compiled.evaluate(event)).toBe(3);
  });

  it('cuts text that grows without bound', () => {
    const growing = `hospital${'.replace("H", "HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH")'.repeat(20)}.size()`;
    const compiled = compileExpression(growing, schema);
    expect(compiled).toMatchObject({ ok: true });
    if (compiled.ok) expect(compiled.evaluate(event)).toBe(limits.expressionTextLengthMax);
  });
});
