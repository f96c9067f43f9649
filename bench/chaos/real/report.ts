/** What a run says of itself: for people, and as JSON. */
import { machine } from '../../machine.ts';
import type { CampaignResult, Counts } from './campaign.ts';

export interface RealReport {
  readonly passed: boolean;
  readonly seed: number;
  readonly forMs: number;
  readonly tookMs: number;
  readonly problems: readonly string[];
  readonly injected: readonly (CampaignResult['injected'][number] & { readonly form: string })[];
  readonly skipped: CampaignResult['skipped'];
  readonly redeliveries: number;
  readonly restarts: number;
  readonly deduplicatedInserts: number;
  readonly owed: number;
  readonly found: number;
  readonly missing: number;
  readonly twice: number;
  readonly windowsCompared: number;
  readonly windowsDifferent: number;
  readonly campaigns: readonly (Omit<CampaignResult, 'verdict'> & {
    readonly verdict: Readonly<Record<string, unknown>>;
  })[];
  readonly machine: ReturnType<typeof machine>;
}

const namedMax = 100;

function redeliveriesOf({ redeliveries }: Counts): number {
  return Object.values(redeliveries).reduce((sum, count) => sum + count, 0);
}

export function reportOf(args: {
  seed: number;
  forMs: number;
  tookMs: number;
  results: readonly CampaignResult[];
}): RealReport {
  const { results } = args;
  const sum = (value: (result: CampaignResult) => number) => results.reduce((total, one) => total + value(one), 0);
  const problems = results.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
  return {
    passed: problems.length === 0,
    seed: args.seed,
    forMs: args.forMs,
    tookMs: args.tookMs,
    problems,
    injected: results.flatMap(({ form, injected }) => injected.map((one) => ({ ...one, form }))),
    skipped: results.flatMap(({ skipped }) => skipped),
    redeliveries: sum(({ counts }) => redeliveriesOf(counts)),
    restarts: sum(({ counts }) => counts.restarts.engine + counts.restarts.nats + counts.restarts.store),
    deduplicatedInserts: sum(({ counts }) => counts.deduplicatedInserts),
    owed: sum(({ verdict }) => verdict.owed),
    found: sum(({ verdict }) => verdict.found),
    missing: sum(({ verdict }) => verdict.missing.length),
    twice: sum(({ verdict }) => verdict.twice.length),
    windowsCompared: sum(({ verdict }) => verdict.windows.compared),
    windowsDifferent: sum(({ verdict }) => verdict.windows.different.length),
    campaigns: results.map(({ verdict, ...rest }) => ({
      ...rest,
      verdict: Object.fromEntries(
        Object.entries(verdict).map(([name, value]) => [name, Array.isArray(value) ? value.slice(0, namedMax) : value]),
      ),
    })),
    machine: machine(),
  };
}

export function printReport(report: RealReport, print: (line: string) => void): void {
  for (const { name, counts, verdict, accounting, memory, quietMs } of report.campaigns) {
    print(`${name}: restarts ${JSON.stringify(counts.restarts)}, redeliveries ${JSON.stringify(counts.redeliveries)}`);
    print(`  deduplicated inserts ${counts.deduplicatedInserts}, checkpoints ${counts.checkpoints}`);
    const { compared } = verdict.windows as { compared: number };
    const { compared: pairs } = verdict.pairs as { compared: number };
    const { compared: alerts } = verdict.alerts as { compared: number };
    print(
      `  compared ${compared} windows, ${pairs} pairs, ${alerts} alerts; late ${verdict.late}; unknown ${verdict.unknown}, of them there ${verdict.foundUnknown}`,
    );
    print(`  accounting ${JSON.stringify(accounting)}`);
    print(
      `  memory ${memory.earlyMib} to ${memory.lateMib} MiB in ${Math.round(memory.observedMs / 1_000)} s; quiet after ${quietMs} ms`,
    );
  }
  for (const { fault, why } of report.skipped) print(`not injected: ${fault} (${why})`);
  for (const problem of report.problems) print(`PROBLEM ${problem}`);
  print(
    `seed ${report.seed}: ${report.injected.length} faults, owed ${report.owed}, found ${report.found}, missing ${report.missing}, twice ${report.twice}: ${report.passed ? 'nothing lost, nothing twice' : 'FAILED'}`,
  );
}
