import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './pattern.ts';
import { isDirect } from './pattern-direct.ts';
import { parsePattern } from './pattern-syntax.ts';

function test(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.reason);
  return compiled.test(text);
}

describe('compilePattern', () => {
  it.each([
    ['^$', '', true],
    ['^$', 'a', false],
    ['', 'anything', true],
    ['b$', 'ab', true],
    ['^b', 'ab', false],
    ['^(ADT|ORU)\\^[A-Z]\\d{2}$', 'ADT^A04', true],
    ['^(ADT|ORU)\\^[A-Z]\\d{2}$', 'ADT^A4', false],
    ['\\p{L}+ \\p{L}+', 'Sốt xuất', true],
    ['^.$', '😀', true],
    ['[^\\]a]', ']]a', false],
    ['(?<year>\\d{4})-(?:0[1-9]|1[0-2])', 'in 2026-03', true],
    ['(?i)đống', 'ĐỐNG ĐA', true],
    ['a{2,3}b', 'ab', false],
    ['a{2,}b', 'xaaaab', true],
    ['\\u0111', 'đ', true],
    ['a.c', 'a\nc', false],
    ['x?^a', 'a', true],
    ['(|a)+b', 'aab', true],
  ])('%s in %s: %s', (pattern, text, found) => {
    expect(test(pattern, text)).toBe(found);
  });

  it.each(['(?=a)', '(?!a)', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<n>a)\\k<n>', '\\bword\\b', '(', 'a{2,1}', '*a'])(
    'refuses %s',
    (pattern) => {
      expect(compilePattern(pattern).ok).toBe(false);
    },
  );

  it('refuses patterns that grow out of bounds', () => {
    expect(compilePattern('a'.repeat(1_001))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('expressionPatternLengthMax'),
    });
    expect(compilePattern('((a{100}){100}){100}')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('expressionPatternStatesMax'),
    });
  });

  it('does a step for each character, where backtracking would do an exponential number', () => {
    const compiled = compilePattern('^(a+)+$');
    if (!compiled.ok) throw new Error(compiled.reason);
    expect(compiled.test(`${'a'.repeat(100_000)}b`)).toBe(false);
    expect(compiled.test('a'.repeat(100_000))).toBe(true);
    expect(test('(a|a)*(a|a)*(a|a)*c', 'a'.repeat(50_000))).toBe(false);
  });

  it.each([true, false])('finds what JavaScript finds (direct: %s)', (direct) => {
    const atom = fc.constantFrom('a', 'b', 'ê', '.', '[ab]', '[^a]', '\\w', '^', '$', '\\.', '😀');
    const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        tie('part'),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}|${b}`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}', '*?'))
          .map(([a, q]) => `(?:${a})${q}`),
      ),
      part: atom,
    }));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ê', '.', '\n', '😀', '_'), maxLength: 8 });
    fc.assert(
      fc.property(
        pattern,
        fc.array(text, { minLength: 1, maxLength: 10 }),
        fc.boolean(),
        (source, texts, ignoreCase) => {
          const expected = new RegExp(source, ignoreCase ? 'iu' : 'u');
          const compiled = compilePattern(ignoreCase ? `(?i)${source}` : source, { direct });
          if (!compiled.ok) throw new Error(compiled.reason);
          for (const each of texts) expect([each, compiled.test(each)]).toEqual([each, expected.test(each)]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([true, false])('takes out what JavaScript takes out (direct: %s)', (direct) => {
    const one = fc.constantFrom('a', 'b', 'ê', '.', '[ab]', '[^a]', '\\w', '😀');
    const times = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{1,2}?');
    const run = fc.array(
      fc.tuple(one, times).map(([a, b]) => a + b),
      { minLength: 1, maxLength: 3 },
    );
    const sequence = run.map((parts) => parts.join(''));
    const choice = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|'));
    const pattern = fc
      .tuple(fc.constantFrom('', '^'), sequence, fc.option(choice), sequence, fc.constantFrom('', '$'))
      .map(
        ([begin, before, group, after, end]) => `${begin}${before}${group === null ? '' : `(${group})`}${after}${end}`,
      );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ê', '.', '\n', '😀'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 10 }), (source, texts) => {
        const compiled = compilePattern(source, { direct });
        if (!compiled.ok) throw new Error(compiled.reason);
        for (const each of texts) {
          const match = new RegExp(source, 'u').exec(each);
          const expected = match === null ? null : source.includes('(') ? (match[1] ?? null) : match[0];
          expect([each, compiled.extract(each)]).toEqual([each, expected]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes out in a step for each character, too', () => {
    const compiled = compilePattern('(a|a)*(b?)c');
    if (!compiled.ok) throw new Error(compiled.reason);
    expect(compiled.extract('a'.repeat(20_000))).toBeNull();
    expect(compiled.extract(`${'a'.repeat(20_000)}bc`)).toBe('a');
  });

  it.each([
    ['(?:&|^)channel_id=([^&]*)', true],
    ['ADT\\^[A-Z]\\d{2}', true],
    ['^a?b{1,3}$', true],
    ['a+', true],
    ['a*b', false],
    ['a*$', false],
    ['(?:ab)*', false],
    ['(a)?b', false],
    ['a{0,50}a{0,50}', false],
    ['a{1000}b', false],
    ['^', true],
    [`${'(?:a|a)'.repeat(7)}`, false],
  ])('leaves %s to JavaScript: %s', (source, expected) => {
    const parsed = parsePattern(source, false);
    expect(parsed.ok && isDirect(parsed.node)).toBe(expected);
  });
});
