#!/usr/bin/env node
/** Starts the `mach` command. There is no build step: TypeScript is run as it is, or from a bundle that is made and kept without anyone's doing. */
import { command, loadProgram } from './start.mjs';

// A reader that has seen enough (`mach list | head -1`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => process.exit(/** @type {NodeJS.ErrnoException} */ (error).code === 'EPIPE' ? 0 : 3));
}

const [use = 'other'] = /^[a-z][a-z-]*$/.exec(process.argv[2] ?? '') ?? [];
const { runProgram } = await loadProgram(command, use);
const exitCode = await runProgram();
// Exits even if a connector has left something open, but not before everything is written.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
