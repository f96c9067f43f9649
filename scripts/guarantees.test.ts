import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { namedTests, readGuarantees, unproven } from './guarantees.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

describe('GUARANTEES.md', () => {
  const page = readGuarantees(root);
  const tests = namedTests(page);

  it('names files of tests that exist', () => {
    expect(tests.length).toBeGreaterThan(30);
    // That the test itself ran and passed is seen at the end of a run (`counts-reporter.ts`).
    for (const { file } of tests) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('has a test for every line that promises something', () => {
    const rows = page.split('\n').filter((line) => /^\|/.test(line) && !/^\| *(-|[A-Z][a-z ]+\| promised)/.test(line));
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) expect(namedTests(row).length, row).toBeGreaterThan(0);
  });
});

describe('a run', () => {
  const tests = [
    { file: 'a.test.ts', name: 'holds' },
    { file: 'b.test.ts', name: 'holds too' },
  ];

  it('leaves unproven what did not pass', () => {
    const passed = new Map([['a.test.ts', ['suite > it holds']]]);
    expect(unproven(tests, passed, false)).toEqual([]);
    expect(unproven(tests, passed, true)).toEqual([tests[1]]);
    expect(unproven(tests, new Map([['a.test.ts', ['other']]]), false)).toEqual([tests[0]]);
  });
});
