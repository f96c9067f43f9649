/** Counts what vitest ran, for the closing line of `npm test`, and checks that the tests named in `GUARANTEES.md` were among it. */
import { writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';
import { namedTests, readGuarantees, unproven } from './guarantees.ts';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The variable that names the file which the counts are written to; nothing is written without it. */
export const countsFileVariable = 'MACH_TEST_COUNTS_FILE';

/** Set where every test file runs: then a guarantee whose test did not run is unproven. */
export const wholeRunVariable = 'MACH_TEST_WHOLE_RUN';

/** The closing line. The form is read by programs. */
export function describeCounts({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * A test file that does not load, a failing hook of a suite, an error outside any test and an interrupted run count as one
 * failure each, because none of them shows as a failed test.
 */
function countModules(
  modules: readonly Pick<TestModule, 'children' | 'errors'>[],
  unhandledErrors: number,
  reason: TestRunEndReason,
): Counts {
  let passed = 0;
  let failed = unhandledErrors + (reason === 'interrupted' ? 1 : 0);
  for (const module of modules) {
    if (module.errors().length > 0) failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      if (state === 'failed') failed += 1;
    }
  }
  return { passed, failed };
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function passedTests(modules: readonly TestModule[]): Map<string, string[]> {
  const passed = new Map<string, string[]>();
  for (const module of modules) {
    const tests = [...module.children.allTests()].filter((test) => test.result().state === 'passed');
    passed.set(
      relative(root, module.moduleId),
      tests.map(({ fullName }) => fullName),
    );
  }
  return passed;
}

export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const file = process.env[countsFileVariable];
    if (!file) return;
    const counts = countModules(modules, unhandledErrors.length, reason);
    const isWhole = process.env[wholeRunVariable] === '1';
    const lacking = unproven(namedTests(readGuarantees(root)), passedTests(modules), isWhole);
    for (const { file: path, name } of lacking)
      console.error(`GUARANTEES.md names a test that did not pass: "${name}" in ${path}`);
    writeFileSync(file, JSON.stringify({ ...counts, failed: counts.failed + lacking.length }));
  }
}
