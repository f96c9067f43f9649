/** The command line of the simulation: threads, figures, exit codes. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from './tally.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', main, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe('npm run chaos -- --simulated', () => {
  it('runs seeds on threads, writes the figures, and exits with 0 when all promises held', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mach-chaos-'));
    try {
      const file = join(folder, 'chaos.json');
      const { code, stdout } = await run('--simulated', '--seeds', '21..28', '--threads', '2', '--json', file);
      expect(stdout).toContain('8 seeds (21..28), 0 failed');
      expect(code).toBe(0);
      const report = JSON.parse(await readFile(file, 'utf8')) as Report;
      expect(report).toMatchObject({ seeds: 8, failed: 0, passed: true, missing: 0, twice: 0, failures: [] });
      expect(report.owed).toBeGreaterThan(300);
      expect(report.found).toBe(report.owed);
      expect(Object.keys(report.faults).length).toBeGreaterThan(5);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
    }
  });

  it.each([['--seeds', '9..3'], ['--seeds', 'x'], ['--threads', '0'], ['--what']])(
    'exits with 2 for %s %s',
    async (...args) => {
      const { code, stderr } = await run('--simulated', ...args);
      expect(stderr).toMatch(/error: /);
      expect(code).toBe(2);
    },
  );
});
