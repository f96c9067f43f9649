import type { Command } from 'commander';
import { machineTimer, systemClock } from '../../clock.ts';
import { parseDuration } from '../../stream/options.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';

interface RunFlags {
  readonly data: string;
  readonly observe: string;
  readonly for?: string;
  readonly clockRate?: string;
  readonly clockStart?: string;
  readonly acceptLoss?: string;
  readonly log: 'debug' | 'info' | 'warn' | 'error';
  readonly json?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('run')
    .helpGroup(groups.run)
    .summary('run a topology')
    .description(
      'Runs a topology until it is told to stop. NATS and ClickHouse are those of NATS_URL and CLICKHOUSE_URL; without them both run embedded, in the data folder.\nCtrl-C or SIGTERM drains: sources stop taking in, what was accepted is written, a checkpoint is taken. A second Ctrl-C ends at once; nothing accepted is lost, the next start goes on from the last checkpoint.',
    )
    .argument('<file>', 'topology file')
    .option('--data <folder>', 'folder of the embedded servers', '.mach/data')
    .option('--observe <address>', 'address of /livez, /readyz, /metrics and /status: port, or host:port', '0')
    .option('--for <duration>', 'drain after this long, such as 30s')
    .option('--clock-rate <factor>', 'engine time runs this many times as fast (for simulations)')
    .option('--clock-start <time>', 'engine time at the start, ISO 8601 (for simulations)')
    .option(
      '--accept-loss <nodes>',
      'nodes whose state may be lost because they changed, separated by commas; log: a log that was wiped',
    )
    .option('--log <level>', 'debug, info, warn or error', 'info')
    .option('--json', 'log lines as JSON')
    .action((file: string, flags: RunFlags) => run(file, flags, context));
}

async function run(file: string, flags: RunFlags, context: CommandContext): Promise<void> {
  const topology = await context.loadTopology(file);
  const { startRun } = await import('../start-run.ts');
  const settings = settingsOf(flags);
  const forMs = flags.for === undefined ? undefined : durationOf(flags.for);
  // Before the line that says that it runs: whoever waits for the line may send a signal at once.
  const signalled = untilSignalled();
  const ended = await startRun({ topology, context, ...settings });
  const stopped = await Promise.race([signalled, untilOver(ended.failed, forMs)]);
  if (stopped === 'failed') {
    await ended.stop();
    throw new CommandExit(exitCodes.failed, 'The engine could not go on; see the last line of the log.');
  }
  process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  await ended.drain();
}

function settingsOf(flags: RunFlags) {
  const rate = flags.clockRate === undefined ? undefined : Number(flags.clockRate);
  if (rate !== undefined && !(rate > 0))
    throw cliErrors.make('MACH1620', { option: '--clock-rate', value: flags.clockRate });
  const start = flags.clockStart === undefined ? undefined : Date.parse(flags.clockStart);
  if (start !== undefined && Number.isNaN(start)) {
    throw cliErrors.make('MACH1620', { option: '--clock-start', value: flags.clockStart });
  }
  const [host, port] = flags.observe.includes(':') ? splitAddress(flags.observe) : ['127.0.0.1', flags.observe];
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    throw cliErrors.make('MACH1620', { option: '--observe', value: flags.observe });
  return {
    directory: flags.data,
    observe: { host, port: Number(port) },
    clock: systemClock({ ...(rate === undefined ? {} : { rate }), ...(start === undefined ? {} : { start }) }),
    acceptLoss: flags.acceptLoss?.split(',').map((node) => node.trim()) ?? [],
    logLevel: flags.log,
    jsonLogs: flags.json === true,
  };
}

function splitAddress(address: string): [string, string] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), address.slice(colon + 1)];
}

function durationOf(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw cliErrors.make('MACH1620', { option: '--for', value: text });
  return durationMs;
}

/** Resolves at the first SIGINT or SIGTERM; the second has its usual effect. */
function untilSignalled(): Promise<'stopped'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('stopped'));
  });
}

/** Resolves when the engine fails or the time is over. */
function untilOver(failed: Promise<unknown>, forMs: number | undefined): Promise<'failed' | 'stopped'> {
  return new Promise((resolve) => {
    void failed.then(() => resolve('failed'));
    if (forMs !== undefined) machineTimer(forMs, () => resolve('stopped'));
  });
}
