import { type Command, Option } from 'commander';
import { machineTimer, systemClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { readTime, takesTime } from '../../read-time.ts';
import { parseDuration } from '../../stream/options.ts';
import { acceptLossOf } from '../accept-loss.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';
import type { RunSettings } from '../start-run.ts';
import { takesCount, takesDuration, takesPort } from '../takes.ts';

interface RunFlags {
  readonly data: string;
  readonly observe: string;
  readonly for?: string;
  readonly clockRate?: string;
  readonly clockStart?: string;
  readonly acceptLoss?: string;
  readonly log: 'debug' | 'info' | 'warn' | 'error';
  readonly json?: true;
  readonly partitions?: string;
  readonly workers: string;
  readonly replicas?: string;
  /** Given by the process that starts a worker. */
  readonly worker?: string;
  readonly workerRun?: string;
  readonly workerCount?: string;
  readonly workerClockOrigin?: string;
  readonly workerAgain?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('run')
    .helpGroup(groups.run)
    .summary('run a topology')
    .description(
      'Runs a topology until it is told to stop. NATS and ClickHouse are those of NATS_URL and CLICKHOUSE_URL; without them both run embedded, in the data folder.\nSeveral processes with the same NATS_URL and CLICKHOUSE_URL share the partitions of the topology; --workers starts several at once. When one dies the others take over what it had.\nWhere the topology runs already, in the same data folder, that engine goes on with this version: see `mach plan`.\nCtrl-C or SIGTERM drains: sources stop taking in, what was accepted is written, a checkpoint is taken. A second Ctrl-C ends at once; nothing accepted is lost, the next start goes on from the last checkpoint.',
    )
    .argument('<file>', 'topology file')
    .option('--data <folder>', 'folder of the embedded servers', '.mach/data')
    .option('--observe <address>', 'address of /livez, /readyz, /metrics and /status: port, or host:port', '0')
    .option('--for <duration>', 'drain after this long, such as 30s')
    .option('--clock-rate <factor>', 'engine time runs this many times as fast (for simulations)')
    .option('--clock-start <time>', 'engine time at the start, with its offset (for simulations)')
    .option(
      '--accept-loss <nodes>',
      'nodes whose state may be lost because they changed, separated by commas; log: a log that was wiped',
    )
    .option('--workers <count>', 'processes that share the work', '1')
    .option(
      '--partitions <count>',
      'partitions of the topology, fixed by its first run (default: those that it has, else one for each worker)',
    )
    .option('--replicas <count>', 'copies of each stream, where NATS_URL is a cluster (default: MACH_REPLICAS, else 1)')
    .addOption(new Option('--worker <name>').hideHelp())
    .addOption(new Option('--worker-run <name>').hideHelp())
    .addOption(new Option('--worker-count <count>').hideHelp())
    .addOption(new Option('--worker-clock-origin <time>').hideHelp())
    .addOption(new Option('--worker-again').hideHelp())
    .addOption(
      new Option('--log <level>', 'what is logged').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .option('--json', 'log lines as JSON')
    .action((file: string, flags: RunFlags, command: Command) => run(file, flags, context, givenOptions(command)));
}

/** Long names of what stands on the command line. */
function givenOptions(command: Command): string[] {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  return given.map(({ long }) => long ?? '');
}

async function run(file: string, flags: RunFlags, context: CommandContext, given: readonly string[]): Promise<void> {
  const settings = settingsOf(flags, context);
  const workers = countOf('--workers', flags.workers, limits.workersMax) ?? 1;
  const topology = await context.loadTopology(file);
  if (!settings.role) {
    const { changeRunning } = await import('../change-running.ts');
    if (await changeRunning({ topology, settings, context, given })) return;
  }
  const forMs = flags.for === undefined ? undefined : durationOf(flags.for);
  // Before the line that says that it runs: whoever waits for the line may send a signal at once.
  const signalled = untilSignalled({ isWorker: settings.role !== undefined });
  const { ended, told } = await start(file, flags, { ...settings, topology, context }, workers);
  const stopped = await Promise.race([signalled, told, untilOver(ended.failed, forMs)]);
  if (stopped === 'failed') {
    await ended.stop();
    throw new CommandExit(exitCodes.failed, 'The engine could not go on; see the last line of the log.');
  }
  if (!settings.role) process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  await ended.drain();
}

interface Running {
  readonly failed: Promise<unknown>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** `told`: resolves when the process that has started this worker wants its end. */
async function start(
  file: string,
  flags: RunFlags,
  settings: RunSettings,
  workers: number,
): Promise<{ ended: Running; told: Promise<'stopped'> }> {
  const never = new Promise<'stopped'>(() => {});
  if (workers > 1) {
    const { startWorkersRun } = await import('../workers/run-workers.ts');
    const clock = clockOf(flags);
    const ended = await startWorkersRun({ settings, file, count: workers, passed: passedOn(flags), clock });
    return { ended, told: never };
  }
  const { startRun } = await import('../start-run.ts');
  const run = await startRun(settings);
  if (!settings.role) return { ended: run, told: never };
  const { serveStarter } = await import('../workers/worker.ts');
  return { ended: run, told: serveStarter(run) };
}

/** What each worker is told as it was told here. */
function passedOn(flags: RunFlags): string[] {
  return [
    ...['--log', flags.log],
    ...(flags.acceptLoss === undefined ? [] : ['--accept-loss', flags.acceptLoss]),
    ...(flags.replicas === undefined ? [] : ['--replicas', flags.replicas]),
  ];
}

function clockOf(flags: RunFlags): { rate: number; start: number | undefined } {
  const rate = flags.clockRate === undefined ? 1 : Number(flags.clockRate);
  if (!(rate > 0))
    throw cliErrors.make('MACH1620', { option: '--clock-rate', value: flags.clockRate, takes: 'a number above 0' });
  const start = flags.clockStart === undefined ? undefined : readTime(flags.clockStart);
  if (start === null)
    throw cliErrors.make('MACH1620', { option: '--clock-start', value: flags.clockStart, takes: takesTime });
  // Workers that were started at other times have one engine time: it began when the first of them did.
  const origin = flags.workerClockOrigin === undefined ? undefined : Number(flags.workerClockOrigin);
  if (origin === undefined || start === undefined) return { rate, start };
  return { rate, start: start + (Date.now() - origin) * rate };
}

function countOf(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > max)
    throw cliErrors.make('MACH1620', { option, value: text, takes: takesCount(max) });
  return count;
}

function settingsOf(flags: RunFlags, context: CommandContext): Omit<RunSettings, 'topology' | 'context'> {
  const { rate, start } = clockOf(flags);
  const [host, port] = flags.observe.includes(':') ? splitAddress(flags.observe) : ['127.0.0.1', flags.observe];
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    throw cliErrors.make('MACH1620', { option: '--observe', value: flags.observe, takes: takesPort });
  const { worker, workerRun, workerCount = 1, workerAgain: again = false } = flags;
  return {
    directory: flags.data,
    observe: { host, port: Number(port) },
    clock: systemClock({ rate, ...(start === undefined ? {} : { start }) }),
    acceptLoss: acceptLossOf(flags.acceptLoss),
    logLevel: flags.log,
    jsonLogs: flags.json === true,
    partitions: countOf('--partitions', flags.partitions, limits.partitionsMax),
    replicas: countOf('--replicas', flags.replicas ?? context.env.MACH_REPLICAS, limits.replicasMax),
    role: worker && workerRun ? { name: worker, run: workerRun, count: Number(workerCount), again } : undefined,
  };
}

function splitAddress(address: string): [string, string] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), address.slice(colon + 1)];
}

function durationOf(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined)
    throw cliErrors.make('MACH1620', { option: '--for', value: text, takes: takesDuration });
  return durationMs;
}

/** Resolves at the first SIGINT or SIGTERM; the second has its usual effect. A worker leaves Ctrl-C to who has started it. */
function untilSignalled({ isWorker }: { isWorker: boolean }): Promise<'stopped'> {
  const signals: readonly NodeJS.Signals[] = isWorker ? ['SIGTERM'] : ['SIGINT', 'SIGTERM'];
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve('stopped'));
  });
}

/** Resolves when the engine fails or the time is over. */
function untilOver(failed: Promise<unknown>, forMs: number | undefined): Promise<'failed' | 'stopped'> {
  return new Promise((resolve) => {
    void failed.then(() => resolve('failed'));
    if (forMs !== undefined) machineTimer(forMs, () => resolve('stopped'));
  });
}
