import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const root = dirname(fileURLToPath(import.meta.url));

/** A test file may run a NATS server and a ClickHouse beside itself: more at once would only wait for each other. */
const workersMax = 4;

/** Tests of logic alone, in many files that import much the same: loading it for each takes longer than most of them. */
const logic = ['operators', 'runtime/execution', 'runtime/expression', 'runtime/stream', 'runtime/topology'];
/** What one file puts in the place of a module, of the clock or of the environment, the next one in its process would meet. */
const replacing = /\bvi\.(?:mock|doMock|stub\w+|useFakeTimers|spyOn)\b/;

const ofLogic = logic.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !replacing.test(readFileSync(join(root, folder, name), 'utf8')))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);

export default defineConfig({
  test: {
    environment: 'node',
    setupFiles: [join(root, 'runtime/testing/random-sizes.ts')],
    pool: 'forks',
    maxWorkers: Math.min(workersMax, Math.max(2, availableParallelism() - 1)),
    // Bounds on what hangs, not measures: the machine may be busy with much else.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    env: { MACH_TEST_DATA: process.env.MACH_TEST_DATA ?? resolve(root, '../shared/data') },
    reporters: ['default', './scripts/counts-reporter.ts'],
    projects: [
      { extends: true, test: { name: 'logic', include: ofLogic, isolate: false } },
      {
        extends: true,
        test: {
          name: 'process',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, '.mach/**', ...ofLogic],
        },
      },
    ],
  },
});
