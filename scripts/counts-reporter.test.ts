import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'mach-counts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `scripts/test.ts` on one test file of our own, as `npm test` does. */
function runTests(name: string, text: string): { code: number | null; lastLine: string | undefined } {
  const file = join(folder, `${name}.test.ts`);
  writeFileSync(file, text.replaceAll('VITEST', JSON.stringify(join(root, 'node_modules/vitest/dist/index.js'))));
  const configuration = join(folder, 'vitest.config.mjs');
  const reporter = JSON.stringify(join(root, 'scripts/counts-reporter.ts'));
  writeFileSync(configuration, `export default { test: { reporters: ['default', ${reporter}] } };`);
  const args = ['--import', 'tsx', join(root, 'scripts/test.ts'), '--root', folder, '--config', configuration, file];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { code: status, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

describe('npm test', () => {
  it('ends with the counts', () => {
    const text = `import { expect, it } from VITEST;\nit('a', () => expect(1).toBe(1));\nit('b', () => expect(2).toBe(2));`;
    expect(runTests('good', text)).toEqual({ code: 0, lastLine: '2 passed, 0 failed' });
  });

  it('counts a failed test, and fails', () => {
    const text = `import { expect, it } from VITEST;\nit('a', () => expect(1).toBe(1));\nit('b', () => expect(2).toBe(3));`;
    expect(runTests('bad', text)).toEqual({ code: 1, lastLine: '1 passed, 1 failed' });
  });

  it('counts a file that does not load', () => {
    expect(runTests('broken', "throw new Error('broken on purpose');")).toEqual({
      code: 1,
      lastLine: '0 passed, 1 failed',
    });
  });

  it('counts a failing hook', () => {
    const text = `import { afterAll, describe, it } from VITEST;
describe('s', () => { afterAll(() => { throw new Error('on purpose'); }); it('a', () => {}); });`;
    expect(runTests('hook', text)).toEqual({ code: 1, lastLine: '1 passed, 1 failed' });
  });

  it('counts an error outside any test', () => {
    const text = `import { it } from VITEST;
it('a', async () => { void Promise.reject(new Error('nobody waits')); await new Promise((done) => setTimeout(done, 50)); });`;
    expect(runTests('stray', text)).toEqual({ code: 1, lastLine: '1 passed, 1 failed' });
  });

  it('fails when there is no test at all', () => {
    const { code, lastLine } = runTests('empty', 'export {};');
    expect([code, lastLine]).toEqual([1, '0 passed, 1 failed']);
  });
});

describe('.ci/run', () => {
  it('runs check and then test', () => {
    const text = readFileSync(join(root, '.ci/run'), 'utf8');
    expect(text.indexOf('npm run check')).toBeGreaterThan(0);
    expect(text.indexOf('\nnpm test')).toBeGreaterThan(text.indexOf('\nnpm run check'));
  });
});
