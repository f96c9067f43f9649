/**
 * `npm test [-- ARGUMENTS OF VITEST]`: one run of the whole suite. The last line is `N passed, N failed`, also when vitest
 * itself breaks; the exit code is 0 only when something passed and nothing failed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Counts, countsFileVariable, describeCounts, wholeRunVariable } from './counts-reporter.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');

function runVitest(countsFile: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, [countsFileVariable]: countsFile, [wholeRunVariable]: process.argv.length > 2 ? '' : '1' },
    });
    // Ctrl-C reaches the child by itself; we stay for its last words.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function readCounts(file: string, code: number): Counts {
  try {
    const counts = JSON.parse(readFileSync(file, 'utf8')) as Counts;
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const testData = process.env.MACH_TEST_DATA ?? join(root, '../shared/data');
const hasTestData = existsSync(join(testData, 'hl7v2'));
const lacking = `test data missing: ${testData} has no hl7v2/; tests of HL7 messages fail without it; set MACH_TEST_DATA to where it is`;
if (!hasTestData) console.error(lacking);

const folder = mkdtempSync(join(tmpdir(), 'mach-test-'));
try {
  const file = join(folder, 'counts.json');
  const code = await runVitest(file);
  const counts = readCounts(file, code);
  process.exitCode = code === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  if (!hasTestData) console.error(lacking);
  console.log(describeCounts(counts));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
