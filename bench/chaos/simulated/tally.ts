/** What the simulations of many seeds came to, and whether they proved anything. */
import { type ActionKind, actionKinds } from './schedule.ts';
import type { Failure } from './shrink.ts';
import type { SimulationResult } from './simulate.ts';

const counted = [
  'owed',
  'found',
  'missing',
  'twice',
  'wrong',
  'redeliveries',
  'restarts',
  'takeovers',
  'deduplicated',
  'fenced',
  'late',
  'resent',
] as const;
type Counted = (typeof counted)[number];

export interface Tally extends Record<Counted, number> {
  seeds: number;
  failed: number;
  /** Of each kind, how often it has struck. */
  faults: Partial<Record<ActionKind, number>>;
  /** From the last fault to the last row, ms of the simulation: the longest. */
  caughtUpMsMax: number;
}

export function emptyTally(): Tally {
  const zeros = Object.fromEntries(counted.map((name) => [name, 0])) as Record<Counted, number>;
  return { seeds: 0, failed: 0, ...zeros, faults: {}, caughtUpMsMax: 0 };
}

export function addResult(tally: Tally, result: SimulationResult): void {
  for (const name of counted) tally[name] += result[name];
  for (const [kind, count] of result.struck) tally.faults[kind] = (tally.faults[kind] ?? 0) + count;
  tally.caughtUpMsMax = Math.max(tally.caughtUpMsMax, result.caughtUpMs);
}

export function addTally(tally: Tally, other: Tally): void {
  tally.seeds += other.seeds;
  tally.failed += other.failed;
  for (const name of counted) tally[name] += other[name];
  for (const [kind, count] of Object.entries(other.faults) as [ActionKind, number][]) {
    tally.faults[kind] = (tally.faults[kind] ?? 0) + count;
  }
  tally.caughtUpMsMax = Math.max(tally.caughtUpMsMax, other.caughtUpMsMax);
}

/** A run of fewer seeds repeats something; it does not prove that every fault was met. */
export const provingSeedsMin = 40;
/** From so many seeds on every kind of fault must have struck. */
const everyFaultSeedsMin = 150;

/** What must have happened in a run that is to prove something, and did not. */
export function unproven(tally: Tally): string[] {
  if (tally.seeds < provingSeedsMin) return [];
  const names = ['redeliveries', 'restarts', 'takeovers', 'deduplicated', 'fenced', 'late', 'resent'] as const;
  const missing: string[] = names.filter((name) => tally[name] === 0);
  if (tally.seeds >= everyFaultSeedsMin) missing.push(...actionKinds.filter((kind) => !tally.faults[kind]));
  return missing.map((name) => `never happened: ${name}`);
}

export interface Report extends Tally {
  readonly mode: 'simulated';
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** null: drawn from each seed. */
  readonly partitions: number | null;
  readonly passed: boolean;
  readonly unproven: readonly string[];
  readonly failures: readonly Failure[];
  readonly tookMs: number;
}

export function describeReport(report: Report): string {
  const { seeds, failed, owed, found, missing, twice, wrong, faults, tookMs } = report;
  const { redeliveries, restarts, takeovers, deduplicated, fenced, late, resent } = report;
  const struck = actionKinds.filter((kind) => faults[kind]).map((kind) => `${kind} ${faults[kind]}`);
  return [
    `${seeds} seeds (${report.firstSeed}..${report.lastSeed}), ${failed} failed, ${(tookMs / 1_000).toFixed(1)} s`,
    `owed ${owed}, found ${found}, missing ${missing}, twice ${twice}, unaccounted ${wrong}`,
    `redeliveries ${redeliveries}, restarts ${restarts}, takeovers ${takeovers}, deduplicated inserts ${deduplicated}, fenced ${fenced}, late ${late}, resent ${resent}`,
    `faults: ${struck.join(', ')}`,
    ...report.unproven,
  ].join('\n');
}
