#!/usr/bin/env node
/** Starts the `mach` command. There is no build step: TypeScript is run as it is, or from a bundle that is made and kept without anyone's doing. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { currentBundle } from './bundle.mjs';
import { runCompiled } from './compiled.mjs';

// A reader that has seen enough (`mach list | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => process.exit(/** @type {NodeJS.ErrnoException} */ (error).code === 'EPIPE' ? 0 : 3));
}

const root = path.dirname(import.meta.dirname);

/** Packages that a start of most commands imports. Those with native code or files of their own stay outside, and so do those that few commands import when they need them. */
const inlined = [
  '@clickhouse/client',
  '@datadog/sketches-js',
  '@marcbachmann/cel-js',
  '@medplum/core',
  '@nats-io/jetstream',
  '@nats-io/transport-node',
  'commander',
  'csv-parse',
  'iconv-lite',
  'pino',
  'prom-client',
  'rxjs',
  'yaml',
  'zod',
];

/** @returns {Promise<typeof import('./program.ts')>} */
async function loadProgram() {
  if (process.env.MACH_UNBUNDLED !== '1') {
    const entry = path.join(import.meta.dirname, 'program.ts');
    const folder = path.join(root, '.mach', 'program');
    const bundle = await currentBundle({ root, entry, folder, inlined });
    const program = bundle ? runBundle(bundle, folder) : undefined;
    if (program?.runProgram) return program;
  }
  const loader = await import('tsx/esm/api').catch((error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`mach is not set up here yet: run \`npm run setup\` in ${root} first\n`);
    process.exit(3);
  });
  loader.register();
  return import('./program.ts');
}

/** @param {string} bundle @param {string} folder @returns {typeof import('./program.ts') | undefined} */
function runBundle(bundle, folder) {
  const [use = 'other'] = /^[a-z][a-z-]*$/.exec(process.argv[2] ?? '') ?? [];
  try {
    // Lines of the sources are known of what Node itself has loaded.
    if (process.sourceMapsEnabled) return createRequire(bundle)(bundle);
    // A service that may not write to the folder of the program has one that systemd gives it.
    return runCompiled(bundle, { use, folder: process.env.CACHE_DIRECTORY ?? folder });
  } catch {
    return undefined;
  }
}

// Where in the program something happened is told in lines of the sources; looking them up takes time that nobody needs otherwise.
if (process.env.MACH_DEBUG) process.setSourceMapsEnabled(true);
const { runProgram } = await loadProgram();
const exitCode = await runProgram();
// Exits even if a connector has left something open, but not before everything is written.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
