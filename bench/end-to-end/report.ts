/** The figures of a run, for people. */
import type { Machine } from '../machine.ts';
import type { Ceilings } from './ceilings.ts';
import type { Accounting } from './engine.ts';
import type { Latencies, Verdict } from './judge.ts';
import type { LatencyPhase, SustainedPhase } from './phases.ts';
import type { Cores } from './usage.ts';
import type { Protocol } from './workload.ts';

export interface Target {
  readonly name: string;
  readonly value: number;
  readonly target: string;
  readonly met: boolean;
}

export interface Result {
  readonly bench: 'end-to-end';
  readonly at: string;
  /** All that was sent was found, once, unaltered; the engine's accounts are balanced. */
  readonly right: boolean;
  readonly targets: readonly Target[];
  readonly durability: 'disk';
  readonly guarantee: string;
  readonly settings: Readonly<Record<string, number>>;
  readonly latency: LatencyPhase;
  readonly sustained: readonly SustainedPhase[];
  readonly ceilings: Readonly<Record<Protocol, Ceilings>>;
  readonly accounting: Accounting;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly load_average: { readonly before: number; readonly after: number };
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const percent = (part: number, of: number) => `${((100 * part) / of).toFixed(1)} %`;

export function printResult(result: Result): void {
  process.stdout.write(`${lines(result).join('\n')}\n`);
}

function lines(result: Result): string[] {
  const { machine, versions, load_average, latency } = result;
  return [
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB; Node ${versions.node}, NATS ${versions.nats}, ClickHouse ${versions.clickhouse}; ${machine.git}`,
    `durability disk, embedded servers; load average ${load_average.before.toFixed(1)} before, ${load_average.after.toFixed(1)} after`,
    '',
    `latency, ms, from the intended send to the row being readable; ${whole(latency.events)} events in an open loop, looked for every ${latency.poll_every_ms} ms`,
    ...latencyTable(latency),
    `  the driver was at most ${latency.driver_late_max_ms} ms late, which counts; a look took ${latency.poll_query_ms.p50} ms; ${verdictText(latency.verdict)}`,
    `  ${coresText(latency.cores)}`,
    '',
    ...result.sustained.flatMap((phase) => sustainedLines(phase, result.ceilings[phase.protocol])),
    ...result.targets.map(
      ({ name, value, target, met }) =>
        `${met ? 'met    ' : 'NOT MET'}  ${name}: ${value.toLocaleString('en')} (${target})`,
    ),
    ...disturbance(result),
    result.right ? 'right    every row found, once, as sent' : 'WRONG    see above: the figures do not count',
  ];
}

/** Latencies of a machine whose cores are all taken are those of its scheduler. */
const othersMax = 0.2;

function disturbance({ latency, sustained }: Result): string[] {
  const others = Math.max(latency.cores.others, ...sustained.map(({ cores }) => cores.others));
  if (others <= othersMax) return [];
  return [`disturbed  other programs took up to ${others.toFixed(2)} cores meanwhile: repeat it on a quiet machine`];
}

function latencyTable({ all_ms, by_protocol_ms }: LatencyPhase): string[] {
  const names = ['p50', 'p90', 'p95', 'p99', 'p99_9', 'max'] as const;
  const row = (name: string, values: Latencies) =>
    `  ${name.padEnd(10)}${names.map((one) => values[one].toFixed(1).padStart(9)).join('')}`;
  return [
    `  ${''.padEnd(10)}${names.map((name) => name.replace('_', '.').padStart(9)).join('')}`,
    row('all', all_ms),
    ...Object.entries(by_protocol_ms).map(([protocol, values]) => row(protocol, values)),
  ];
}

function sustainedLines(phase: SustainedPhase, ceilings: Ceilings): string[] {
  const rate = phase.events_per_second;
  return [
    `${phase.protocol}: ${whole(rate)} rows/s sustained for ${phase.seconds} s (halves ${phase.halves.map(whole).join(' and ')}), at most ${whole(phase.waiting_max)} on their way`,
    `  ${verdictText(phase.verdict)}; ${phase.events_per_log_message} events in a log message`,
    `  ${coresText(phase.cores)}`,
    `  alone: append ${whole(ceilings.append)}/s (this is ${percent(rate, ceilings.append)} of it), stage ${whole(ceilings.stage)}/s (${percent(rate, ceilings.stage)}), insert ${whole(ceilings.insert)}/s (${percent(rate, ceilings.insert)})`,
    '',
  ];
}

function verdictText({ expected, found, missing, twice, unexpected, altered }: Verdict): string {
  return `${whole(found)} of ${whole(expected)} rows found, ${missing} missing, ${twice} twice, ${unexpected} unexpected, ${altered} altered`;
}

function coresText(cores: Cores): string {
  return `cores used: ${Object.entries(cores)
    .map(([name, used]) => `${name} ${used.toFixed(2)}`)
    .join(', ')}`;
}
