import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isScalar, LineCounter, parseDocument, Scalar } from 'yaml';
import { mapScalar } from './places.ts';
import { readYaml } from './yaml-text.ts';

const styles = [
  Scalar.PLAIN,
  Scalar.QUOTE_DOUBLE,
  Scalar.QUOTE_SINGLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

/** The value of `key` in a document whose other lines push it around. */
function scalarIn(text: string) {
  const document = parseDocument(text, { lineCounter: new LineCounter() });
  const node = document.getIn(['outer', 'key'], true);
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return undefined;
  const [start, end] = node.range;
  return { start, end, style: node.type as Scalar.Type, value: node.value };
}

describe('offsets in scalars', () => {
  it('lead to the character in the file, whatever the style', () => {
    const words = fc.array(
      fc.constantFrom('a', 'bc', '==', '"x"', "'y'", '&&', 'độ', '\\', '𝛼', '\n', '  ', '(', '> 3'),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(words, fc.constantFrom(...styles), fc.integer({ min: 20, max: 80 }), (parts, style, lineWidth) => {
        const scalar = new Scalar(parts.join(' '));
        scalar.type = style;
        const document = parseDocument('first: 1\nouter:\n  other: 2\n');
        document.setIn(['outer', 'key'], scalar);
        const text = document.toString({ lineWidth });
        const found = scalarIn(text);
        if (!found) return;
        const map = mapScalar(text, found);
        expect(map).toHaveLength(found.value.length + 1);
        for (const [index, character] of [...found.value].map(
          (c, i) => [[...found.value].slice(0, i).join('').length, c] as const,
        )) {
          if (/\s/.test(character)) continue;
          const at = map[index] as number;
          const written = text[at] as string;
          expect(written === character[0] || written === '\\').toBe(true);
        }
        expect(map).toEqual([...map].sort((a, b) => a - b));
      }),
      { numRuns: 2_000 },
    );
  });

  it('follow escapes of every width', () => {
    const text = 'outer:\n  key: "\\x41\\u0042\\U0001D6FCc\\td\\\n    e"\n';
    const found = scalarIn(text);
    if (!found) throw new Error('no scalar');
    expect(found.value).toBe('AB\u{1d6fc}c\tde');
    const map = mapScalar(text, found);
    expect(map.slice(0, 8).map((at) => text[at])).toEqual(['\\', '\\', '\\', '\\', 'c', '\\', 'd', 'e']);
  });
});

describe('references in flow mappings', () => {
  it('need no quotes, and keep every place', () => {
    const text = 'a: { b: ${env:X}, c: [${file:/run/a, b#c}, 1] } # ${env:Y}\n';
    const { value, diagnostics, places } = readYaml(text, 't.yaml');
    expect(diagnostics).toEqual([]);
    expect(value).toEqual({ a: { b: '${env:X}', c: ['${file:/run/a, b#c}', 1] } });
    expect(places.find(['a', 'c', 1])).toEqual({ line: 1, column: 44, length: 1 });
  });
});
