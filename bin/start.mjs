/** Loads our programs: each from its bundle, or from the sources where there is none. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { currentBundle } from './bundle.mjs';
import { runCompiled } from './compiled.mjs';

const root = path.dirname(import.meta.dirname);
const kept = path.join(root, '.mach');

/** The process of the embedded store: small, as each engine has one. @type {import('./bundle.mjs').Place} */
export const store = {
  root,
  entry: path.join(root, 'runtime/store/embedded/process.ts'),
  folder: path.join(kept, 'store'),
  inlined: ['zod'],
  alongside: [],
};

/** The `mach` command. @type {import('./bundle.mjs').Place} */
export const command = {
  root,
  entry: path.join(import.meta.dirname, 'program.ts'),
  folder: path.join(kept, 'program'),
  /** Packages that a start of most commands imports. Those with native code or files of their own stay outside, and so do those that few commands import when they need them. */
  inlined: [
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
  ],
  // Where the service may not write, who may makes all by starting one.
  alongside: [store],
};

/**
 * Gives what the entry exports: a function `runProgram`.
 *
 * @param {import('./bundle.mjs').Place} place
 * @param {string} use what this process runs it for
 * @returns {Promise<any>}
 */
export async function loadProgram(place, use) {
  // Where in the program something happened is told in lines of the sources; looking them up takes time that nobody needs otherwise.
  if (process.env.MACH_DEBUG) process.setSourceMapsEnabled(true);
  if (process.env.MACH_UNBUNDLED !== '1') {
    const bundle = await currentBundle(place);
    const program = bundle ? runBundle(bundle, { use, folder: place.folder }) : undefined;
    if (program?.runProgram) return program;
  }
  const loader = await import('tsx/esm/api').catch((error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    process.stderr.write(`mach is not set up here yet: run \`npm run setup\` in ${root} first\n`);
    process.exit(3);
  });
  loader.register();
  return import(place.entry);
}

/** @param {string} bundle @param {{ use: string, folder: string }} options */
function runBundle(bundle, { use, folder }) {
  try {
    // Lines of the sources are known of what Node itself has loaded.
    if (process.sourceMapsEnabled) return createRequire(bundle)(bundle);
    // A service that may not write to the folder of the program has one that systemd gives it.
    return runCompiled(bundle, { use, folder: process.env.CACHE_DIRECTORY ?? folder });
  } catch {
    return undefined;
  }
}
