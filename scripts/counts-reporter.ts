/** Counts what vitest ran, for the closing line of `npm test`. */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The variable that names the file which the counts are written to; nothing is written without it. */
export const countsFileVariable = 'MACH_TEST_COUNTS_FILE';

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

export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: TestRunEndReason): void {
    const file = process.env[countsFileVariable];
    if (file) writeFileSync(file, JSON.stringify(countModules(modules, unhandledErrors.length, reason)));
  }
}
