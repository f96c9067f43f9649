/** The `mach` command. */
import { Command, CommanderError } from 'commander';
import { MachError, messageOf } from '../errors.ts';
import * as boards from './commands/boards.ts';
import * as check from './commands/check.ts';
import * as checkpoint from './commands/checkpoint.ts';
import * as deadLetter from './commands/dead-letter.ts';
import * as decode from './commands/decode.ts';
import * as diff from './commands/diff.ts';
import * as explain from './commands/explain.ts';
import * as graph from './commands/graph.ts';
import * as help from './commands/help.ts';
import * as init from './commands/init.ts';
import * as list from './commands/list.ts';
import * as plan from './commands/plan.ts';
import * as replay from './commands/replay.ts';
import * as rescale from './commands/rescale.ts';
import * as run from './commands/run.ts';
import * as schema from './commands/schema.ts';
import * as tap from './commands/tap.ts';
import * as test from './commands/test.ts';
import * as top from './commands/top.ts';
import * as why from './commands/why.ts';
import { type CommandContext, type CommandModule, type ContextOptions, createContext } from './context.ts';
import { CommandExit, exitCodes } from './exit-codes.ts';

/** One line for each command, in the order in which `mach --help` shows them within their groups. */
const commands: readonly CommandModule[] = [
  init,
  check,
  test,
  graph,
  explain,
  run,
  rescale,
  plan,
  top,
  tap,
  boards,
  why,
  deadLetter,
  replay,
  diff,
  checkpoint,
  decode,
  list,
  schema,
  help,
];

const exitCodeHelp = `
Exit codes:
  0    done, nothing wrong
  1    errors found in what was given (a topology, a test, a message)
  2    the command line is wrong
  3    failed while running (broker, store, network)
  130  interrupted (Ctrl-C)

mach help COMMAND shows the options of a command, mach help MACH1105 explains an error.`;

function createProgram(context: CommandContext, more: readonly CommandModule[] = []): Command {
  const program = new Command('mach')
    .description('Streaming dataflow for a smart health operations centre.')
    .usage('COMMAND [options]')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.print(text.replace(/\n$/, '')),
      writeErr: (text) => context.printError(text.replace(/\n$/, '')),
    })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', exitCodeHelp);
  for (const command of [...commands, ...more]) command.register(program, context);
  return program;
}

/** Runs one command line (`argv` without `node` and the script) and gives the exit code. Never throws. */
export async function main(argv: readonly string[], options: ContextOptions): Promise<number> {
  const context = createContext(options);
  const program = createProgram(context, options.commands);
  if (argv.length === 0) {
    program.outputHelp({ error: true });
    return exitCodes.usage;
  }
  try {
    // The arrow of `init` begins like an option.
    const words = argv.map((word) => (word === '->' ? '→' : word));
    await program.parseAsync(words, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return describeEnd(error, context);
  }
}

/** Nothing is there of the name (no tests, no table, no node), or it is not for everybody. */
const wrongNames = new Set(['MACH1513', 'MACH1516', 'MACH3260', 'MACH3264', 'MACH3266', 'MACH3267', 'MACH3268']);

/** A name of nothing, and of the errors of the command line all but that an engine did not answer. */
function isUsage(code: string): boolean {
  if (wrongNames.has(code)) return true;
  return code.startsWith('MACH16') && code !== 'MACH1622';
}

function describeEnd(error: unknown, context: CommandContext): number {
  // Commander has printed its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CommandExit) {
    if (error.message) context.printError(error.message);
    return error.exitCode;
  }
  if (error instanceof MachError) {
    context.printError(`${error.code}  ${error.message}\nmach help ${error.code} tells more.`);
    return isUsage(error.code) ? exitCodes.usage : exitCodes.failed;
  }
  context.printError(
    context.env.MACH_DEBUG ? String((error as Error).stack ?? error) : `mach failed: ${messageOf(error)}`,
  );
  return exitCodes.failed;
}
