import { describe, expect, it } from 'vitest';
import { checkWording } from './wording.ts';

// Put together here, so that this file passes the rule that it tests.
const unfinished = ['TO', 'DO'].join('');
const only = ['on', 'ly'].join('');
const skip = ['sk', 'ip'].join('');

describe('checkWording', () => {
  it.each([
    `// ${unfinished}: later`,
    `throw new Error('not ${'implemented'}')`,
    `it.${only}('x')`,
    `describe.${skip}('x')`,
  ])('finds: %s', (line) => {
    const [problem] = checkWording({ path: 'a.ts', text: `const a = 1;\n${line}\n` });
    expect(problem).toContain('a.ts:2  "');
  });

  it.each(['a method of its own', 'items.skip(3)', 'readonly todos: number', 'audit.only = true'])(
    'passes: %s',
    (line) => {
      expect(checkWording({ path: 'a.ts', text: line })).toEqual([]);
    },
  );
});
