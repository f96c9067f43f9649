/** The `mach` command with all that belongs to it. */
import { readFileSync } from 'node:fs';
import { main } from '../runtime/cli/main.ts';
import * as simulate from '../simulator/command.ts';
import * as demo from '../simulator/demo/command.ts';

const packageFile = new URL('../package.json', import.meta.url);

/** Runs the command line of this process and gives its exit code. */
export function runProgram(): Promise<number> {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return main(process.argv.slice(2), {
    version,
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    commands: [simulate, demo],
    loadCatalogue: () => import('../catalogue.ts'),
  });
}
