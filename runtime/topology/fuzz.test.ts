import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTopology } from './load.ts';
import { formatFrames, formatOneLine } from './print-diagnostics.ts';
import { fromText, goodTopology, testCatalogue, testEnvironment } from './test-catalogue.ts';

const scraps = [
  '\t',
  '\n',
  ':',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '|',
  '>',
  '&a ',
  '*a',
  '#',
  '${',
  '${env:',
  '!',
  '%',
  '@',
  '\u0000',
  '\ufeff',
  '𝛼',
  '~',
  'null',
  '1e999',
  '<<: *a',
  '? ',
  '---\n',
  '__proto__: 1',
  'constructor',
  '.inf',
];

type Change =
  | { kind: 'insert'; at: number; text: string }
  | { kind: 'delete'; at: number; length: number }
  | { kind: 'copy'; from: number; length: number; at: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    at: share,
    text: fc.oneof(fc.constantFrom(...scraps), fc.string()),
  }),
  fc.record({ kind: fc.constant('delete' as const), at: share, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('copy' as const), from: share, at: share, length: fc.integer({ min: 1, max: 200 }) }),
);

function apply(text: string, one: Change): string {
  const at = Math.floor(one.at * text.length);
  if (one.kind === 'insert') return text.slice(0, at) + one.text + text.slice(at);
  if (one.kind === 'delete') return text.slice(0, at) + text.slice(at + one.length);
  const from = Math.floor(one.from * text.length);
  return text.slice(0, at) + text.slice(from, from + one.length) + text.slice(at);
}

/** What a message has in a place that was not filled in. */
const unfilled = /\{\w+\}|undefined|\[object/g;

function check(content: string | Uint8Array): void {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString();
  const { topology, diagnostics } = loadTopology('t.yaml', {
    catalogue: testCatalogue,
    env: testEnvironment,
    readFile: fromText(content),
  });
  const failed = diagnostics.some(({ severity }) => severity === 'error');
  expect(topology === undefined).toBe(failed);
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const { line, column, length, message } of diagnostics) {
    // What the file says itself may be quoted.
    expect((message.match(unfilled) ?? []).filter((found) => !text.includes(found))).toEqual([]);
    expect(line).toBeGreaterThanOrEqual(1);
    expect(length).toBeGreaterThanOrEqual(1);
    if (typeof content === 'string') {
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeLessThanOrEqual((lines[line - 1] as string).length + 1);
    }
  }
  const shown =
    formatFrames(diagnostics, { sources: new Map([['t.yaml', text]]) }) + diagnostics.map(formatOneLine).join('\n');
  expect(shown).not.toContain(testEnvironment.TOKEN);
}

describe('a file with random changes', () => {
  it('never throws, and gives a topology or says at a place of the file why not', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) =>
        check(changes.reduce(apply, goodTopology)),
      ),
      { numRuns: 400 },
    );
  });

  it('may be any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(bytes)),
      { numRuns: 500 },
    );
  });
});
