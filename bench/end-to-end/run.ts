/** `npm run bench -- end-to-end`: see `bench/README.md`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../runtime/stream/index.ts';
import { UseError } from '../arguments.ts';
import { load, machine } from '../machine.ts';
import { measureCeilings, type Shape } from './ceilings.ts';
import { type Accounting, startEngine } from './engine.ts';
import { isRight } from './judge.ts';
import { type LatencyPhase, measureLatency, measureSustained, type SustainedPhase } from './phases.ts';
import { printResult, type Result, type Target } from './report.ts';
import { openSession } from './session.ts';
import type { Protocol } from './workload.ts';

const options = {
  rate: { type: 'string', default: '1000' },
  for: { type: 'string', default: '30s' },
  'warm-up': { type: 'string', default: '5s' },
  sustained: { type: 'string', default: '15s' },
  'feed-share': { type: 'string', default: '0.7' },
  batch: { type: 'string', default: '250' },
  poll: { type: 'string', default: '25ms' },
  seed: { type: 'string', default: '115' },
  profile: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const usage = `npm run bench -- end-to-end [options]

  --rate 1000       events a second, of both protocols together, while latency is measured
  --for 30s         how long latency is measured
  --warm-up 5s      traffic of the same kind before it
  --sustained 15s   how long each sustained rate is measured; 0s leaves them out
  --feed-share 0.7  share of 115 items; the rest is HL7
  --batch 250       most items in one request of a 115 centre
  --poll 25ms       how often rows are looked for: the resolution of latencies
  --seed 115        of the schedule
  --profile FOLDER  leaves a CPU profile of the engine there
  --json FILE       all figures
`;

/** At most this many events are on their way while a sustained rate is measured: half a second to a second of traffic. */
const waitingMax: Readonly<Record<Protocol, number>> = { 'feed-115': 15_000, 'hl7-mllp': 2_000 };
const ceilingMs = 2_000;

const targets = { latencyP99Ms: 500, feedPerSecond: 20_000, hl7PerSecond: 2_000 } as const;

interface Settings {
  readonly perSecond: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly sustainedMs: number;
  readonly feedShare: number;
  readonly feedBatch: number;
  readonly pollMs: number;
  readonly seed: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const settings: Settings = {
    perSecond: numberOf('rate', values.rate, 1, 100_000),
    durationMs: durationOf('for', values.for),
    warmUpMs: durationOf('warm-up', values['warm-up']),
    sustainedMs: durationOf('sustained', values.sustained),
    feedShare: numberOf('feed-share', values['feed-share'], 0, 1),
    feedBatch: numberOf('batch', values.batch, 1, 4_096),
    pollMs: durationOf('poll', values.poll),
    seed: numberOf('seed', values.seed, 0, 2 ** 32 - 1),
  };
  const result = await measure(settings, values.profile);
  printResult(result);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (!result.right) process.exitCode = 1;
}

async function measure(settings: Settings, profileFolder?: string): Promise<Result> {
  const at = new Date().toISOString();
  const loadBefore = load();
  const { latency, sustained, accounting } = await measureEngine(settings, profileFolder);
  const shapeOf = (protocol: Protocol, usual: Shape): Shape => {
    const phase = sustained.find((one) => one.protocol === protocol);
    return phase ? { eventsPerMessage: phase.events_per_log_message, rowsPerSecond: phase.events_per_second } : usual;
  };
  say('the ceilings of each part');
  const { ceilings, versions } = await measureCeilings(
    {
      'feed-115': shapeOf('feed-115', { eventsPerMessage: 1_000, rowsPerSecond: targets.feedPerSecond }),
      'hl7-mllp': shapeOf('hl7-mllp', { eventsPerMessage: 100, rowsPerSecond: targets.hl7PerSecond }),
    },
    ceilingMs,
  );
  const verdicts = [latency, ...sustained].map(({ verdict }) => verdict);
  const right = verdicts.every(isRight) && isBalanced(accounting);
  return {
    bench: 'end-to-end',
    at,
    right,
    targets: targetsOf(latency, sustained),
    durability: 'disk',
    guarantee: 'each row once, from the acknowledgement to the sender on',
    settings: { ...settings, checkpoint_every_ms: 5_000, sink_write_every_ms: 100 },
    latency,
    sustained,
    ceilings,
    accounting,
    machine: machine(),
    versions: { node: process.version, ...versions },
    load_average: { before: loadBefore, after: load() },
  };
}

async function measureEngine(settings: Settings, profileFolder?: string) {
  const { perSecond, durationMs, warmUpMs, sustainedMs, feedShare, pollMs, seed } = settings;
  const directory = await mkdtemp(join(tmpdir(), 'mach-bench-'));
  if (profileFolder !== undefined) await mkdir(profileFolder, { recursive: true });
  const engine = await startEngine(directory, profileFolder);
  try {
    const session = await openSession(engine, settings.feedBatch);
    if (warmUpMs > 0) {
      say(`warming up for ${warmUpMs / 1_000} s`);
      await measureLatency(session, { perSecond, durationMs: warmUpMs, feedShare, seed: seed + 1, pollMs });
    }
    say(`latency at ${perSecond} events/s for ${durationMs / 1_000} s`);
    const latency = await measureLatency(session, { perSecond, durationMs, feedShare, seed, pollMs });
    const sustained: SustainedPhase[] = [];
    for (const protocol of sustainedMs > 0 ? (['feed-115', 'hl7-mllp'] as const) : []) {
      say(`sustained rate of ${protocol} for ${sustainedMs / 1_000} s`);
      sustained.push(
        await measureSustained(session, { protocol, durationMs: sustainedMs, waitingMax: waitingMax[protocol] }),
      );
    }
    await session.close();
    const accounting = await engine.stop();
    return { latency, sustained, accounting };
  } finally {
    engine.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function targetsOf(latency: LatencyPhase, sustained: readonly SustainedPhase[]): Target[] {
  const rate = (protocol: Protocol) => sustained.find((one) => one.protocol === protocol)?.events_per_second;
  const least = (name: string, value: number | undefined, target: number): Target[] =>
    value === undefined ? [] : [{ name, value, target: `>= ${target}`, met: value >= target }];
  return [
    {
      name: 'p99 from intended send to readable row, ms',
      value: latency.all_ms.p99,
      target: `< ${targets.latencyP99Ms}`,
      met: latency.all_ms.p99 < targets.latencyP99Ms,
    },
    ...least('feed-115, events/s sustained', rate('feed-115'), targets.feedPerSecond),
    ...least('hl7-mllp, messages/s sustained', rate('hl7-mllp'), targets.hl7PerSecond),
  ];
}

function isBalanced({ in: taken, delivered, filtered, late, dropped, dead_lettered }: Accounting): boolean {
  return taken === delivered + filtered + late + dropped + dead_lettered && late === 0 && dead_lettered === 0;
}

function durationOf(option: string, text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new UseError(`--${option} ${text} is not a duration: write 30s`);
  return durationMs;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most)) throw new UseError(`--${option} ${text} is not between ${least} and ${most}`);
  return value;
}

function say(what: string): void {
  process.stderr.write(`${what} ...\n`);
}
