import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance } from './did-you-mean.ts';

describe('didYouMean', () => {
  const fields = ['hospital', 'patients', 'longest_wait', 'typical_wait', 'window'];

  it.each([
    ['longest_wiat', 'longest_wait'],
    ['Hospital', 'hospital'],
    ['longest-wait', 'longest_wait'],
    ['patient', 'patients'],
    ['windw', 'window'],
  ])('%s: %s', (word, meant) => {
    expect(didYouMean(word, fields)).toBe(meant);
  });

  it('says nothing when nothing is near', () => {
    expect(didYouMean('temperature', fields)).toBeUndefined();
    expect(didYouMean('x', ['y'])).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
  });

  it('measures a distance: zero for equals only, symmetric, one for one mistake', () => {
    const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(word, word, fc.nat({ max: 11 }), (left, right, at) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left));
        expect(editDistance(left, right) === 0).toBe(left === right);
        expect(editDistance(left, `${left.slice(0, at)}z${left.slice(at)}`)).toBe(1);
      }),
    );
  });
});
