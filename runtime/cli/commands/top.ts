import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { limits } from '../../limits.ts';
import type { EngineStatus } from '../../observe/status.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { fetchEngine } from '../fetch-engine.ts';
import { findRun } from '../find-run.ts';
import { groups } from '../groups.ts';
import { topScreen } from '../top-screen.ts';

interface TopFlags {
  readonly data: string;
  readonly url?: string;
  readonly interval: string;
  readonly once?: true;
  readonly json?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('top')
    .helpGroup(groups.look)
    .summary('rates, queues, watermarks and lag of every node')
    .description(
      'Shows every node of a running topology, live: events a second, share of time busy, queue, watermark, lag, latency.\nWithout a terminal, or with --once, it prints one look and ends.',
    )
    .option('--interval <ms>', 'time between two looks', '1000')
    .option('--once', 'one look')
    .option('--json', 'one look, as JSON')
    .option('--url <url>', 'address of the engine (default: the one that runs here)')
    .option('--data <folder>', 'data folder of the engine', '.mach/data')
    .action((flags: TopFlags) => top(flags, context));
}

async function fetchStatus(url: string): Promise<EngineStatus> {
  const response = await fetchEngine(url, '/status', { signal: AbortSignal.timeout(limits.observeRequestTimeoutMs) });
  return (await response.json()) as EngineStatus;
}

async function top(flags: TopFlags, context: CommandContext): Promise<void> {
  if (!/^\d{1,9}$/.test(flags.interval))
    throw cliErrors.make('MACH1620', { option: '--interval', value: flags.interval, takes: 'whole milliseconds' });
  const intervalMs = Math.max(Number(flags.interval), 100);
  const url = flags.url ?? (await findRun(flags.data)).url;
  let before = await fetchStatus(url);
  if (flags.json) return context.print(JSON.stringify(before, null, 2));
  for (;;) {
    await sleep(intervalMs);
    const now = await fetchStatus(url);
    const screen = topScreen(before, now, context.terminalWidth);
    if (flags.once || !context.isTerminal) return context.print(screen);
    context.print(`\u001b[H\u001b[2J${screen}`);
    before = now;
  }
}
