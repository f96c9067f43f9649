/** Runs all cases of one thing that grows, in turns (A B C, A B C, ...), so that a busy moment falls on all. */
import { type Spread, spreadOf } from '../compare/spread.ts';
import type { Case } from './cases.ts';
import { runTrial, type TrialResult } from './trial.ts';
import type { Subject } from './usage.ts';

export interface Measurement {
  readonly by: Subject;
  readonly series: string;
  readonly size: number;
  readonly events: number;
  /** Of a run of the engine. */
  readonly eventsPerSecond?: Spread;
  readonly cpuSecondsPerMillion?: Spread;
  readonly rows?: number;
  readonly checkpoints?: Spread;
  readonly checkpointBytes?: number;
  /** Of state alone. */
  readonly keys?: number;
  readonly bytesPerKey?: Spread;
}

export async function measureCases(
  cases: readonly Case[],
  runs: number,
  onRun: (run: number, of: Case) => void,
): Promise<readonly Measurement[]> {
  const results = cases.map((): TrialResult[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [at, one] of cases.entries()) {
      onRun(run, one);
      results[at]?.push(await runTrial(one.trial));
    }
  }
  checkRows(cases, results);
  return cases.map((one, at) => measurementOf(one, results[at] as TrialResult[]));
}

/** Who reads the same events with the same topology writes as many rows, whatever the partitions and the checkpoints. */
export function checkRows(cases: readonly Case[], results: readonly (readonly TrialResult[])[]): void {
  const known = new Map<string, { rows: number; of: Case }>();
  for (const [at, of] of cases.entries()) {
    const { file, stream, variables } = of.trial;
    const same = JSON.stringify([file, stream, variables]);
    for (const result of results[at] ?? []) {
      if (result.of !== 'run') continue;
      const before = known.get(same) ?? { rows: result.rows, of };
      known.set(same, before);
      const nameOf = ({ by, series, size }: Case) => `${by}, ${series}, ${size}`;
      if (before.rows !== result.rows)
        throw new Error(`wrong rows: ${before.rows} of (${nameOf(before.of)}), ${result.rows} of (${nameOf(of)})`);
    }
  }
}

export function measurementOf({ by, series, size, trial }: Case, results: readonly TrialResult[]): Measurement {
  const { events } = trial.stream;
  const head = { by, series, size, events };
  const kept = results.filter((result) => result.of === 'memory');
  if (kept.length > 0)
    return { ...head, keys: kept[0]?.keys ?? 0, bytesPerKey: spreadOf(kept.map(({ bytesPerKey }) => bytesPerKey)) };
  const ran = results.filter((result) => result.of === 'run');
  return {
    ...head,
    eventsPerSecond: spreadOf(ran.map(({ seconds }) => events / seconds)),
    cpuSecondsPerMillion: spreadOf(ran.map(({ cpuSeconds }) => (cpuSeconds * 1e6) / events)),
    rows: ran[0]?.rows ?? 0,
    checkpoints: spreadOf(ran.map(({ checkpoints }) => checkpoints)),
    checkpointBytes: Math.max(...ran.map(({ checkpointBytes }) => checkpointBytes)),
  };
}
