/** `npm run bench -- compare`: queries of Nexmark by the engine and its peers, in one run on one machine. */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { disorderStep } from '../../connectors/nexmark/generator.ts';
import { durationMs, oneOf, UseError, whole } from '../arguments.ts';
import { load, machine } from '../machine.ts';
import { queries } from '../nexmark/queries.ts';
import { type Contender, contenders, prepare, toolVersions } from './contenders.ts';
import { openLineFiles } from './line-files.ts';
import { agreedQueries, type CompareSettings, isMissing, measureQuery, type Outcome, wrongRows } from './measure.ts';
import { startPeer } from './peer-process.ts';
import { keepOutcomes, type RunHead } from './report.ts';
import { comparisonTable } from './table.ts';

const answerWithinMs = 600_000;

const bounds = {
  events: { least: 1, most: 1_000_000_000 },
  'check-events': { least: 1, most: 10_000_000 },
  runs: { least: 1, most: 1_000 },
  seed: { least: 0, most: 2 ** 31 - 1 },
  rate: { least: 1, most: 1_000_000 },
  disorder: { least: 1, most: 1_000_000 },
  'warm-up': { least: 0, most: 600_000 },
};

const usage = `npm run bench -- compare [--query q5,q7] [--peer flink,loop] [--events 1000000] [--check-events 100000] [--runs 5]
  [--warm-up 5s] [--seed 42] [--rate 10000] [--disorder 1] [--over generator|objects] [--results FOLDER] [--json FILE]

Rows are checked over --check-events before anything is timed; then each contender runs for --warm-up, once at least. --over objects: events are made before the clock starts, by those that can.
Writes to the folder (bench/results/local), after each query: compare.jsonl (appended), and compare.md and compare.svg of the newest run of each query.`;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      query: { type: 'string' },
      peer: { type: 'string' },
      events: { type: 'string', default: '1000000' },
      'check-events': { type: 'string', default: '100000' },
      runs: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '5s' },
      seed: { type: 'string', default: '42' },
      rate: { type: 'string', default: '10000' },
      disorder: { type: 'string', default: '1' },
      over: { type: 'string', default: 'generator' },
      results: { type: 'string', default: fileURLToPath(new URL('../results/local', import.meta.url)) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const number = (name: 'events' | 'check-events' | 'seed' | 'rate' | 'disorder' | 'runs') =>
    whole(name, values[name], bounds[name]);
  const settings: CompareSettings = {
    events: number('events'),
    checkEvents: number('check-events'),
    seed: number('seed'),
    rate: number('rate'),
    disorder: disorderOf(number('disorder')),
    runs: number('runs'),
    warmUpMs: durationMs('warm-up', values['warm-up'], bounds['warm-up']),
    over: oneOf('over', values.over, ['generator', 'objects']),
  };
  await mkdir(values.results, { recursive: true });
  const all = queries.map(({ name }) => name);
  const names = values.query === undefined || values.query === 'all' ? all : queriesOf(values.query, all);
  const result = await compare(names, chosen(values.peer, settings), settings, values.results);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\n${result.table}\n\n`);
  const agreed = agreedQueries(result.outcomes).join(', ');
  if (agreed !== '') process.stdout.write(`${agreed}: the rows of all contenders agree\n`);
  process.stdout.write(`kept in ${values.results}\n`);
  const wrong = wrongRows(result.outcomes);
  for (const { query, contender, sha256 } of wrong)
    process.stderr.write(`${query}: the rows of ${contender} differ from those of the others (${sha256})\n`);
  if (wrong.length > 0) process.exitCode = 1;
}

/** What the generator can mix. */
function disorderOf(events: number): number {
  if (events % disorderStep === 0) throw new UseError(`--disorder is no multiple of ${disorderStep}`);
  return events;
}

function queriesOf(text: string, all: readonly string[]): readonly string[] {
  return text.split(',').map((name) => oneOf('query', name, ['all', ...all]));
}

function chosen(peers: string | undefined, { over }: CompareSettings): readonly Contender[] {
  const wanted = peers?.split(',');
  const known = contenders.map(({ name }) => name);
  for (const name of wanted ?? []) oneOf('peer', name, known);
  return contenders.filter(
    ({ name, isOwn, takesObjects }) =>
      (over === 'generator' || takesObjects) && (isOwn || (wanted?.includes(name) ?? true)),
  );
}

export interface Comparison extends RunHead {
  readonly outcomes: readonly Outcome[];
  readonly table: string;
}

export async function compare(
  names: readonly string[],
  taking: readonly Contender[],
  settings: CompareSettings,
  folder: string,
): Promise<Comparison> {
  const head: RunHead = {
    benchmark: 'compare',
    at: new Date().toISOString(),
    machine: machine(),
    load_before: load(),
    tools: toolVersions(taking),
    settings,
  };
  const absent: { contender: string; reason: string }[] = [];
  const runners = taking.flatMap((contender) => {
    const { absent: reason } = prepare(contender);
    if (reason === undefined) return [{ contender, process: startPeer(contender, answerWithinMs) }];
    absent.push({ contender: contender.name, reason });
    return [];
  });
  const outcomes: Outcome[] = [];
  const lines = openLineFiles();
  process.stdout.write(`${progressHead}\n`);
  try {
    for (const query of names) {
      const measured = await measureQuery(query, runners, { ...settings, lines });
      const latest = [...measured, ...absent.map((one) => ({ query, ...one }))];
      outcomes.push(...latest);
      for (const outcome of measured) process.stdout.write(`${progressLine(outcome)}\n`);
      await keepOutcomes(folder, head, latest);
    }
  } finally {
    await Promise.all(runners.map(({ process: peer }) => peer.stop()));
    await lines.remove();
  }
  return { ...head, outcomes, table: comparisonTable(outcomes, taking) };
}

const progressHead = `${'query'.padEnd(19)}${['least', 'median', 'most'].map((one) => one.padStart(11)).join(' ')}           processor time, rows`;

function progressLine(outcome: Outcome): string {
  const head = `${outcome.query.padEnd(4)} ${outcome.contender.padEnd(14)}`;
  if (isMissing(outcome)) return `${head} ${outcome.reason.split('\n')[0]}`;
  const { least, median, most } = outcome.eventsPerSecond;
  const rates = [least, median, most].map((rate) => Math.round(rate).toLocaleString('en').padStart(11)).join(' ');
  return `${head}${rates} events/s  ${outcome.cpuSecondsPerMillion.median.toFixed(2)} s/M  ${outcome.sha256.slice(0, 12)}`;
}
