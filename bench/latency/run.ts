/** `npm run bench -- latency`: from the moment for which an event is meant to the moment when its row is with the sink, in an open loop. */
import { writeFile } from 'node:fs/promises';
import { limits } from '../../runtime/limits.ts';
import type { Latencies } from '../end-to-end/judge.ts';
import { load, type Machine, machine } from '../machine.ts';
import { hops, type LatencyFigures, measureLatency } from './measure.ts';
import { readArguments, usage } from './usage.ts';

const targetRate = 10_000;
const targetP99Ms = 25;

/** What holds events back on purpose; the sink `discard` takes rows as they come. */
const waits = ['groupCommitWindowMs', 'outputFlushEveryMs'] as const;

export interface LatencyResult extends LatencyFigures {
  readonly benchmark: 'latency';
  readonly at: string;
  readonly machine: Machine;
  readonly load_average: { readonly before: number; readonly after: number };
  readonly query: string;
  readonly log: string;
  readonly rate: number;
  readonly seconds: number;
  readonly checkpoint_every_ms: number;
  readonly limits: Readonly<Record<(typeof waits)[number], number>>;
  /** `met` is undefined at another rate than that of the target. */
  readonly target: { readonly p99_ms: number; readonly events_per_second: number; readonly met?: boolean };
}

export async function run(args: string[]): Promise<void> {
  const given = readArguments(args);
  if (!given) return void process.stdout.write(usage);
  const before = load();
  const figures = await measureLatency(given);
  const result: LatencyResult = {
    benchmark: 'latency',
    at: new Date().toISOString(),
    machine: machine(),
    load_average: { before, after: load() },
    query: given.query.name,
    log: given.log,
    rate: given.rate,
    seconds: given.durationMs / 1_000,
    checkpoint_every_ms: given.checkpointEveryMs,
    limits: {
      groupCommitWindowMs: limits.groupCommitWindowMs,
      outputFlushEveryMs: limits.outputFlushEveryMs,
    },
    target: targetOf(given.rate, figures.latency_ms.p99),
    ...figures,
  };
  process.stdout.write(textOf(result));
  if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(result, null, 2)}\n`);
}

export function targetOf(rate: number, p99: number): LatencyResult['target'] {
  const target = { p99_ms: targetP99Ms, events_per_second: targetRate };
  return rate === targetRate ? { ...target, met: p99 < targetP99Ms } : target;
}

const shown = ['p50', 'p90', 'p99', 'p99_9', 'max'] as const;

export function textOf(result: LatencyResult): string {
  const { machine: on, query, rate, seconds, log, rows, target, latency_ms, load_average: busy } = result;
  const whole = (value: number) => value.toLocaleString('en');
  const line = (name: string, values: Latencies) =>
    `  ${name.padEnd(26)}${shown.map((one) => values[one].toFixed(1).padStart(9)).join('')}`;
  const verdict = target.met === undefined ? 'at another rate' : target.met ? 'met' : 'NOT MET';
  return [
    `${on.cpu}, ${on.cores} cores; Node ${on.node}; ${on.git}; load average ${busy.before.toFixed(1)} before, ${busy.after.toFixed(1)} after`,
    `${query} at ${whole(rate)} events/s for ${seconds} s, log ${log}, a checkpoint each ${result.checkpoint_every_ms / 1_000} s; ${whole(rows)} rows, ${result.cores.toFixed(2)} cores used`,
    '',
    `  ${'ms'.padEnd(26)}${shown.map((one) => one.replace('_', '.').padStart(9)).join('')}`,
    line('intended to sink', latency_ms),
    ...hops.map((name) => line(`  ${name}`, result.hops_ms[name])),
    '',
    `  waits on purpose: ${waits.map((name) => `${name} ${result.limits[name]}`).join(', ')}`,
    `  target: p99 < ${target.p99_ms} ms at ${whole(target.events_per_second)} events/s outside window waits: ${verdict} (${latency_ms.p99.toFixed(1)} ms)`,
    '',
  ].join('\n');
}
