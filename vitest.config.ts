import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const root = dirname(fileURLToPath(import.meta.url));

/** A test file may run a NATS server and a ClickHouse beside itself: more at once would only wait for each other. */
const workersMax = 4;

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: Math.min(workersMax, Math.max(2, availableParallelism() - 1)),
    include: ['**/*.test.ts'],
    exclude: [...configDefaults.exclude, '.mach/**'],
    // Bounds on what hangs, not measures: the machine may be busy with much else.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    teardownTimeout: 20_000,
    env: { MACH_TEST_DATA: process.env.MACH_TEST_DATA ?? resolve(root, '../shared/data') },
    reporters: ['default', './scripts/counts-reporter.ts'],
  },
});
