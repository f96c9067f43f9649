/** The smallest prefix of a schedule that still fails. */
import { messageOf } from '../../../runtime/errors.ts';
import { describeAction } from './schedule.ts';
import { formOf, type SimulationOptions, type SimulationResult, scheduleOf, simulate, workloadOf } from './simulate.ts';

export interface Failure {
  readonly seed: number;
  readonly workload: string;
  /** A line for each action of the schedule. */
  readonly schedule: readonly string[];
  /** So many of the first actions are enough. */
  readonly prefix: number;
  readonly problems: readonly string[];
}

export type Attempt =
  | { readonly held: true; readonly result: SimulationResult }
  | { readonly held: false; readonly result: SimulationResult | undefined; readonly problems: readonly string[] };

export async function attempt(options: SimulationOptions): Promise<Attempt> {
  try {
    const result = await simulate(options);
    return result.problems.length === 0 ? { held: true, result } : { held: false, result, problems: result.problems };
  } catch (error) {
    return { held: false, result: undefined, problems: [messageOf(error)] };
  }
}

/** Tries every prefix from the shortest on: a longer one that fails says nothing about a shorter one. */
export async function shrink(options: SimulationOptions, problems: readonly string[]): Promise<Failure> {
  const schedule = options.schedule ?? scheduleOf(options.seed);
  const { name, idle, order } = options.workload ?? workloadOf(options.seed);
  const { partitions, workers } = options.form ?? formOf(options.seed, options.partitions);
  const failure = {
    seed: options.seed,
    workload: [
      `${name}, idle ${idle}`,
      ...(name === 'look-up' ? [`order ${order}`] : []),
      ...(partitions > 1 ? [`${partitions} partitions`] : []),
      ...(workers === undefined ? [] : [`${workers} workers`]),
    ].join(', '),
    schedule: schedule.map(describeAction),
  };
  for (let prefix = 0; prefix < schedule.length; prefix++) {
    const shorter = await attempt({ ...options, actions: prefix });
    if (!shorter.held) return { ...failure, prefix, problems: shorter.problems };
  }
  return { ...failure, prefix: schedule.length, problems };
}

/** What a person needs to see the failure again. */
export function describeFailure({ seed, workload, schedule, prefix, problems }: Failure): string {
  const lines = schedule.map((line, index) => `  ${index < prefix ? '*' : ' '} ${line}`);
  const enough = prefix === 0 ? 'it fails without any fault' : `the first ${prefix} (marked *) are enough`;
  return [
    `seed ${seed} fails (${workload})`,
    `  schedule of ${schedule.length}; ${enough}:`,
    ...lines,
    '  what is wrong with it then:',
    ...problems.map((problem) => `    ${problem}`),
    `  again: npm run chaos -- --simulated --seeds ${seed}`,
  ].join('\n');
}
