import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { event, schema } from './fixtures.ts';
import { functions } from './functions/index.ts';
import { compileExpression } from './index.ts';

const page = readFileSync(new URL('DIALECT.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^(.+?) {2}\/\/ => (.+)$/gm)].map(([, source, value]) => [source, value] as const);

describe('DIALECT.md', () => {
  it('has its examples', () => {
    expect(examples.length).toBeGreaterThan(60);
  });

  it.each(examples)('%s is %s', (source, value) => {
    const compiled = compileExpression(source as string, schema);
    expect(compiled).toMatchObject({ ok: true });
    if (compiled.ok) expect(compiled.evaluate(event)).toEqual(JSON.parse(value as string));
  });

  it('names every function', () => {
    const code = page.replace(/\s+/g, ' ');
    const missing = [...functions.keys()].filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(code) && name !== 'double',
    );
    expect(missing).toEqual([]);
  });
});
