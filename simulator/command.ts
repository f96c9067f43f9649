/** `mach simulate city`. Registered by the root, because the runtime knows nothing of the simulator. */
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../runtime/cli/context.ts';
import { CommandExit, exitCodes } from '../runtime/cli/exit-codes.ts';
import { groups } from '../runtime/cli/groups.ts';
import { systemClock } from '../runtime/clock.ts';
import { formatDuration, parseDuration } from '../runtime/stream/options.ts';
import type { CityProgress, CitySummary } from './city/index.ts';
import { type ScenarioName, scenarioNames, scenarios } from './city/model/scenario.ts';
import { parseAddress } from './city/transports/address.ts';
import { simulatorErrors } from './errors.ts';
import { simulatorLimits } from './limits.ts';

interface CityFlags {
  readonly hospitals: number;
  readonly seed: number;
  readonly speed: number | 'max';
  readonly scenario: ScenarioName;
  readonly for?: number;
  readonly start?: number;
  readonly hl7?: string;
  readonly feed?: string;
  readonly beds?: string;
  readonly truth?: string;
  readonly json?: boolean;
}

const examples = `
Scenarios:
${scenarioNames.map((name) => `  ${name.padEnd(14)} ${scenarios[name].summary}`).join('\n')}

Examples:
  mach simulate city --hl7 127.0.0.1:2575 --feed 127.0.0.1:11500 --beds .mach/inbox/beds
  mach simulate city --for 1h --speed 60 --scenario surge --hl7 127.0.0.1:2575 --truth truth
  mach simulate city --for 1d --speed max --start 2026-03-02T00:00:00+07:00 --truth truth`;

export function register(program: Command, context: CommandContext): void {
  program
    .command('simulate')
    .helpGroup(groups.run)
    .summary('play a made-up city against real sources')
    .description('Plays a made-up world that speaks real protocols.')
    .command('city')
    .description('Hospitals speaking HL7 over MLLP, a 115 centre over gRPC, and bed files. All of it is made up.')
    .option('--hospitals <n>', 'number of hospitals', wholeNumber(1, simulatorLimits.hospitalsMax), 8)
    .option('--seed <n>', 'the same seed gives the same city', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option('--speed <x>', 'times real time, or max: as fast as the receivers answer', speedOf, 1)
    .option('--scenario <name>', `one of ${scenarioNames.join(', ')}`, scenarioOf, 'ordinary' as ScenarioName)
    .option('--for <duration>', 'simulated time to play, such as 1h; without it until Ctrl-C', durationOf)
    .option('--start <time>', 'ISO time at which it begins (default: so that it ends now; now without --for)', timeOf)
    .option('--hl7 <host:port>', 'hl7-mllp source to speak to', addressOf)
    .option('--feed <host:port>', 'feed-115 source to speak to', addressOf)
    .option('--beds <folder>', 'folder that a file-drop source watches')
    .option('--truth <folder>', 'writes truth.csv, visits.csv and summary.json there at the end')
    .option('--json', 'the summary as JSON on standard output')
    .addHelpText('after', examples)
    .action((flags: CityFlags) => simulateCityCommand(flags, context));
}

async function simulateCityCommand(flags: CityFlags, context: CommandContext): Promise<void> {
  const { hl7, feed, beds, truth, speed, hospitals, seed, scenario } = flags;
  if (!hl7 && !feed && !beds && !truth) throw usage(simulatorErrors.make('MACH1706'));
  if (flags.for === undefined && speed === 'max') {
    throw usage(
      simulatorErrors.make('MACH1702', { option: '--speed', reason: 'max needs --for, or it would never end' }),
    );
  }
  const { simulateCity } = await import('./city/index.ts');
  const interruption = interrupted();
  try {
    const { summary } = await simulateCity({
      seed,
      hospitals,
      scenario,
      speed,
      start: flags.start ?? defaultStart(flags),
      targets: { hl7, feed, beds },
      ...(flags.for === undefined ? {} : { durationMs: flags.for }),
      ...(truth === undefined ? {} : { truthFolder: truth }),
      signal: interruption.signal,
      onProgress: progressPrinter(flags, context),
    });
    context.print(flags.json ? JSON.stringify(summary, null, 2) : describe(summary, truth));
  } finally {
    interruption.dispose();
  }
  if (interruption.signal.aborted) throw new CommandExit(exitCodes.interrupted);
}

function usage({ code, message }: { code: string; message: string }): CommandExit {
  return new CommandExit(exitCodes.usage, `${code}  ${message}\nmach help ${code} tells more.`);
}

/** The first Ctrl-C or SIGTERM ends the city in order; the next one ends the program. */
function interrupted() {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
    },
  };
}

/** So that the simulated end is the present: a receiver refuses times that lie ahead of its own clock. */
function defaultStart({ for: durationMs, speed }: CityFlags): number {
  const now = systemClock().now();
  if (durationMs === undefined) return now;
  return speed === 'max' ? now - durationMs : now - durationMs + durationMs / Math.max(1, speed);
}

/** One line about once a second, written to the standard error. */
function progressPrinter({ for: durationMs, hl7 }: CityFlags, context: CommandContext) {
  let first: number | undefined;
  return ({ now, messages, feedItems, accepted, flushing }: CityProgress): void => {
    first ??= now;
    const time = new Date(now).toISOString().slice(11, 19);
    const passed = formatDuration(Math.max(0, Math.round((now - first) / 1_000) * 1_000));
    const of = durationMs === undefined ? '' : ` of ${formatDuration(durationMs)}`;
    const what = flushing ? 'sending what is left' : `${passed}${of}`;
    const unanswered = hl7 && messages > 0 && accepted === 0 ? `  nothing is answered yet at ${hl7}` : '';
    context.printError(`${time}Z  ${what}  HL7 ${messages} (${accepted} accepted)  115 ${feedItems}${unanswered}`);
  };
}

function describe({ hl7, feed, bed_files, truth, ...run }: CitySummary, folder: string | undefined): string {
  const lines = [
    `City ${run.seed}, ${run.scenario}, ${run.hospitals} hospitals, ${run.start} to ${run.end}`,
    `HL7        ${hl7.messages} messages: ${hl7.late} late, ${hl7.duplicates} twice, ${hl7.broken} broken, ${hl7.repaired} repaired, ${hl7.foreign} of no known type`,
    `           ${hl7.accepted} accepted, ${hl7.rejected} rejected, ${hl7.resent} sent again`,
    `115 feed   ${feed.items} items: ${feed.calls} calls, ${feed.unit_reports} reports of ambulances, ${feed.diversions} diversions; ${feed.refused} refused`,
    `bed files  ${bed_files.written}: ${bed_files.duplicates} twice, ${bed_files.with_a_bad_row} with a bad row`,
    `truth      ${truth.rows} hospital minutes, ${truth.visits} visits${folder ? `, in ${folder}` : ''}`,
  ];
  return lines.join('\n');
}

function wholeNumber(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
  };
}

function speedOf(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const value = Number(text);
  if (value > 0 && value <= 100_000) return value;
  throw new InvalidArgumentError('It is a number, such as 60, or max.');
}

function scenarioOf(text: string): ScenarioName {
  const name = scenarioNames.find((known) => known === text);
  if (name) return name;
  throw new InvalidArgumentError(
    simulatorErrors.make('MACH1701', { given: text, names: scenarioNames.join(', ') }).message,
  );
}

function durationOf(text: string): number {
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return value;
  throw new InvalidArgumentError('It is a duration, such as 30m, 1h or 2d.');
}

function timeOf(text: string): number {
  const value = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It is an ISO time, such as 2026-03-02T07:00:00+07:00.');
}

function addressOf(text: string): string {
  if (parseAddress(text)) return text;
  throw new InvalidArgumentError('It is host:port, such as 127.0.0.1:2575.');
}
