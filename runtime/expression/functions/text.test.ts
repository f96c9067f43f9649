import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../stream/schema.ts';
import { type Compiled, compileExpression } from '../index.ts';

const schema = defineSchema({ text: field.string(), separator: field.string(), place: field.float() });

function compile(source: string): Compiled {
  const compiled = compileExpression(source, schema);
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
  return compiled;
}

/** As the language has it, but for characters beyond U+FFFF. */
const partsOf = (text: string, separator: string) => (separator === '' ? [...text] : text.split(separator));

const texts = fc
  .array(fc.constantFrom('/', '//', 'a', 'ệ', '\u{1f3e5}', 'ab'), { maxLength: 8 })
  .map((all) => all.join(''));
const separators = fc.constantFrom('/', '//', 'a', 'ab', 'ệ', '');
const places = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -1, max: 9 }) },
  fc.constantFrom(0.5, Number.NaN, 1e9),
);

describe('split', () => {
  it('gives one part as the list of all has it, whatever was asked before', () => {
    const part = compile('text.split(separator)[place]');
    const asked = fc.tuple(texts, separators, fc.array(places, { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 6 }), (list) => {
        for (const [text, separator, wanted] of list) {
          for (const place of wanted)
            expect(part.evaluate({ text, separator, place })).toBe(partsOf(text, separator)[place] ?? null);
        }
      }),
    );
  });

  it('gives several parts in one expression, and all of them as a list', () => {
    fc.assert(
      fc.property(texts, separators, (text, separator) => {
        const all = partsOf(text, separator);
        const some = compile('[text.split(separator)[2], text.split(separator)[0], text.split(separator)[1]]');
        const event = { text, separator, place: 0 };
        expect(some.evaluate(event)).toEqual([all[2] ?? null, all[0] ?? null, all[1] ?? null]);
        expect(compile('text.split(separator)').evaluate(event)).toEqual(all);
      }),
    );
  });

  it.each([
    ['null', { text: null, separator: '/', place: 0 }],
    ['no place', { text: 'a/b', separator: '/', place: null }],
    ['no separator', { text: 'a/b', separator: null, place: 0 }],
  ])('gives nothing for %s', (_, event) => {
    expect(compile('text.split(separator)[place]').evaluate(event)).toBeNull();
  });
});
