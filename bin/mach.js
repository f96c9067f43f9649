#!/usr/bin/env node
/** Starts the `mach` command: TypeScript is run as it is, there is no build. */
import { readFileSync } from 'node:fs';
import { register } from 'tsx/esm/api';

// A reader that has seen enough (`mach list | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 3));
}

register();
const { main } = await import('../runtime/cli/main.ts');
const commands = await Promise.all([import('../simulator/command.ts'), import('../simulator/demo/command.ts')]);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const exitCode = await main(process.argv.slice(2), {
  version,
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  commands,
  loadCatalogue: () => import('../catalogue.ts'),
});
// Exits even if a connector has left something open, but not before everything is written.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
