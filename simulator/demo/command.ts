/** `mach demo`: the main job against the simulated city, live in the terminal. */
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../runtime/cli/context.ts';
import { cliErrors } from '../../runtime/cli/errors.ts';
import { groups } from '../../runtime/cli/groups.ts';
import { takesDuration } from '../../runtime/cli/takes.ts';
import { parseDuration } from '../../runtime/stream/index.ts';
import { type ScenarioName, scenarioNames } from '../city/model/scenario.ts';

/** Where the demo runs unless it is told otherwise. */
export const demoFolder = '.mach/demo';

export interface DemoFlags {
  readonly for?: string;
  readonly summary?: string;
  readonly speed: string;
  readonly hospitals: string;
  readonly seed: string;
  readonly scenario: ScenarioName;
  readonly data: string;
  readonly topology: string;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .helpGroup(groups.run)
    .summary('watch a simulated city live: the main job, end to end')
    .description(
      'Runs topologies/emergency-overload.yaml against a made-up city of eight hospitals and a 115 centre that speak HL7 v2 over MLLP and gRPC, sixty times as fast as real time, and shows every emergency department as it fills.\nThe city keeps the truth; at the end what was computed is compared with what happened.',
    )
    .option('--for <duration>', 'end by itself after this long of real time, such as 60s')
    .option('--summary <file>', 'write what came out as JSON')
    .addOption(new Option('--scenario <name>', 'what happens in the city').choices(scenarioNames).default('surge'))
    .option('--speed <factor>', 'simulated time runs this many times as fast', '60')
    .option('--hospitals <count>', 'hospitals of the city', '8')
    .option('--seed <number>', 'the same seed gives the same city', '1')
    .option('--data <folder>', 'folder of the demo alone: emptied at the start', demoFolder)
    .option('--topology <file>', 'another topology for the same city', 'topologies/emergency-overload.yaml')
    .action((flags: DemoFlags) => demo(flags, context));
}

async function demo(flags: DemoFlags, context: CommandContext): Promise<void> {
  const { runDemo } = await import('./run-demo.ts');
  const durationMs = flags.for === undefined ? undefined : parseDuration(flags.for);
  if (flags.for !== undefined && durationMs === undefined) throw wrong('--for', flags.for, takesDuration);
  await runDemo({
    context,
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(flags.summary === undefined ? {} : { summaryFile: flags.summary }),
    speed: positive('--speed', flags.speed),
    hospitals: positive('--hospitals', flags.hospitals),
    seed: positive('--seed', flags.seed),
    scenario: flags.scenario,
    directory: flags.data,
    topologyFile: flags.topology,
  });
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw wrong(option, text, 'a number above 0');
  return value;
}

function wrong(option: string, value: string, takes: string) {
  return cliErrors.make('MACH1620', { option, value, takes });
}
