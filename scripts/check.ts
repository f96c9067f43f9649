/**
 * `npm run check`: format and lint, types, import walls, wording and lock file. All of them run and all that is wrong is
 * said. Exit code 0 when all pass.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkImports, type SourceFile } from './import-walls.ts';
import { checkLockfile } from './lockfile.ts';
import { checkWording } from './wording.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Result {
  readonly passed: boolean;
  readonly output: string;
}

interface Check {
  readonly name: string;
  readonly run: () => Promise<Result>;
}

/** Tracked files and new ones that are not ignored, so that a wall is found broken before the commit. */
function listFiles(endings: RegExp): SourceFile[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\0');
  return [...new Set(names)]
    .filter((path) => endings.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function runProgram(name: string, ...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(join(root, 'node_modules/.bin', name), args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ passed: false, output: error.message }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

async function report(problems: readonly string[]): Promise<Result> {
  return { passed: problems.length === 0, output: problems.join('\n') };
}

const checks: readonly Check[] = [
  {
    name: 'format and lint',
    run: () => runProgram('biome', 'check', '--error-on-warnings', '--max-diagnostics=100'),
  },
  { name: 'types', run: () => runProgram('tsc', '--noEmit', '--pretty', 'false', '-p', root) },
  {
    // Written for a browser: it has other globals.
    name: 'types of the page',
    run: () => runProgram('tsc', '--noEmit', '--pretty', 'false', '-p', join(root, 'runtime/boards/page')),
  },
  { name: 'import walls', run: () => report(listFiles(/\.(ts|mjs|js)$/).flatMap(checkImports)) },
  { name: 'wording', run: () => report(listFiles(/\.(ts|mjs|js|ya?ml|md|proto|sh|sql)$/).flatMap(checkWording)) },
  {
    name: 'lock file',
    run: () => report(checkLockfile(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))),
  },
];

async function perform({ name, run }: Check): Promise<boolean> {
  const startedAt = performance.now();
  const { passed, output } = await run().catch((error) => ({ passed: false, output: String(error) }));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (!passed) console.log(`${output.trimEnd()}\n`);
  return passed;
}

const results = await Promise.all(checks.map(perform));
const failed = results.filter((passed) => !passed).length;
console.log(failed === 0 ? 'check: all passed' : `check: ${failed} of ${checks.length} failed`);
process.exitCode = failed === 0 ? 0 : 1;
