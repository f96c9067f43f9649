/**
 * `npm run chaos`: faults of every kind, and an oracle that says whether anything was lost or came twice.
 * With `--simulated` the whole engine runs in virtual time on the log in memory; without it, real processes.
 */
import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../runtime/stream/options.ts';
import { exitCodes, type SimulatedArguments } from './arguments.ts';

const threadsMax = 64;
const partitionsMax = 64;

interface Options {
  readonly simulated?: true;
  readonly seeds: readonly [number, number];
  readonly seed?: number;
  readonly threads: number;
  readonly partitions?: number;
  readonly fault?: readonly string[];
  readonly for: number;
  readonly json?: string;
}

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`);
  };
}

const seed = wholeNumber(0, 2 ** 31 - 1);

function seedRange(text: string): readonly [number, number] {
  const [first = '', last = first, ...more] = text.split('..');
  const range = [seed(first), seed(last)] as const;
  if (more.length === 0 && range[0] <= range[1]) return range;
  throw new InvalidArgumentError('Write it as 1..2000, the smaller one first, or as one number.');
}

const gather = (name: string, before: readonly string[] = []): readonly string[] => [...before, name];

function positiveDuration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0) return durationMs;
  throw new InvalidArgumentError('Write it as 45s or 5m.');
}

function commandLine(): Command {
  return new Command('npm run chaos --')
    .description('Makes faults while made-up senders work, and says whether anything was lost or came twice.')
    .option(
      '--simulated',
      'the whole engine in virtual time on the log in memory, one schedule of faults for each seed',
    )
    .option('--seeds <first..last>', 'simulated: the seeds', seedRange, [1, 2000] as const)
    .option('--threads <count>', 'simulated: threads', wholeNumber(1, threadsMax), Math.min(availableParallelism(), 16))
    .option(
      '--partitions <count>',
      'simulated: partitions of the topology; drawn from each seed when absent',
      wholeNumber(1, partitionsMax),
    )
    .option('--seed <number>', 'real processes: the seed; a random one when absent', seed)
    .option('--fault <name>', 'real processes: this fault alone; may be given several times', gather)
    .option('--for <duration>', 'real processes: how long faults are made', positiveDuration, 60_000)
    .option('--json <file>', 'write the figures to this file')
    .addHelpText(
      'after',
      `
Examples:
  npm run chaos -- --simulated --seeds 1..2000
  npm run chaos -- --simulated --seeds 1234        one schedule again
  npm run chaos -- --seed 7 --for 45s --json chaos.json

Progress goes to stderr, the result to stdout.
Exit codes: 0 all promises held; 1 one did not, or faults that should have struck did not; 2 wrong use.
`,
    )
    .allowExcessArguments(false)
    .exitOverride();
}

function simulatedArguments(options: Options): SimulatedArguments {
  const { seeds, threads, partitions, json } = options;
  return {
    firstSeed: seeds[0],
    lastSeed: seeds[1],
    threads,
    ...(partitions !== undefined && { partitions }),
    ...(json !== undefined && { json }),
  };
}

async function main(): Promise<number> {
  const command = commandLine();
  try {
    command.parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.held : exitCodes.wrongUse;
  }
  const options = command.opts<Options>();
  if (options.simulated) {
    const { runSimulated } = await import('./simulated/run.ts');
    return runSimulated(simulatedArguments(options));
  }
  const { runReal } = await import('./real/run.ts');
  // It reads its own options, once they are known to be right in form.
  return runReal(process.argv.slice(2));
}

process.exitCode = await main();
