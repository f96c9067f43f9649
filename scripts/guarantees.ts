/** The links of `GUARANTEES.md` to the tests that prove its lines: `[name of the test](path of its file)`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NamedTest {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Name of the test, or a part of it that no other test of the file has. */
  readonly name: string;
}

export const guaranteesFile = 'GUARANTEES.md';

/** Every link of the page to a test file, in order. */
export function namedTests(page: string): NamedTest[] {
  const links = page.matchAll(/\[((?:[^\][]|\[[^\]]*\])+)\]\(([^)\s]+\.test\.ts)\)/g);
  return [...links].map(([, name = '', file = '']) => ({ name: name.replaceAll('`', ''), file }));
}

export function readGuarantees(root: string): string {
  return readFileSync(join(root, guaranteesFile), 'utf8');
}

/**
 * The named tests that did not pass in a run. `passed`: path from the root to full names of tests that did; `isWhole`: every file ran, so
 * that one which is absent is missing.
 */
export function unproven(
  tests: readonly NamedTest[],
  passed: ReadonlyMap<string, readonly string[]>,
  isWhole: boolean,
): NamedTest[] {
  return tests.filter(({ file, name }) => {
    const names = passed.get(file);
    return names ? !names.some((one) => one.includes(name)) : isWhole;
  });
}
