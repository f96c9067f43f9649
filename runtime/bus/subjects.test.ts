import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainSubject, patternsOverlap, subjectMatches } from './subjects.ts';

const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 });
const patterns = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '*'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([parts, open]) => [...parts, ...(open ? ['>'] : [])].join('.'));

/** The same by a regular expression. */
const expected = (pattern: string, subject: string) =>
  new RegExp(`^${pattern.replace(/\./g, '\\.').replace(/\*/g, '[^.]+').replace(/>$/, '.+')}$`).test(subject);

describe('subjects', () => {
  it('match as NATS matches them', () => {
    fc.assert(
      fc.property(patterns, tokens, (pattern, parts) => {
        const subject = parts.join('.');
        expect(subjectMatches(pattern, subject)).toBe(expected(pattern, subject));
      }),
    );
    expect(subjectMatches('>', 'a.b')).toBe(true);
    expect(subjectMatches('a.>', 'a')).toBe(false);
  });

  it('overlap when there is a subject that both match', () => {
    fc.assert(
      fc.property(patterns, patterns, tokens, (one, other, parts) => {
        const subject = parts.join('.');
        if (subjectMatches(one, subject) && subjectMatches(other, subject))
          expect(patternsOverlap(one, other)).toBe(true);
      }),
    );
    expect(patternsOverlap('a.*', 'a.b.c')).toBe(false);
    expect(patternsOverlap('a.>', 'a')).toBe(false);
    expect(patternsOverlap('a.*.c', '*.b.>')).toBe(true);
  });

  it('are plain without wildcards, spaces and empty tokens', () => {
    expect(['a', 'a.b-c.d_1'].every(isPlainSubject)).toBe(true);
    expect(['', 'a.', '.a', 'a..b', 'a.*', 'a.>', 'a b'].some(isPlainSubject)).toBe(false);
  });
});
