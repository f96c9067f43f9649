/** `npm run bench -- compare`: queries of Nexmark by the engine and its peers, in one run on one machine. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine } from '../machine.ts';
import { queries } from '../nexmark/queries.ts';
import { type Contender, contenders, prepare, toolVersions } from './contenders.ts';
import { openLineFiles } from './line-files.ts';
import { type CompareSettings, isMissing, measureQuery, type Outcome, wrongRows } from './measure.ts';
import { startPeer } from './peer-process.ts';
import { barPlot } from './plot.ts';
import { comparisonTable } from './table.ts';

const answerWithinMs = 600_000;

const usage = `npm run bench -- compare [--query q5,q7] [--peer flink,loop] [--events 1000000] [--check-events 100000] [--runs 5]
  [--seed 42] [--rate 10000] [--disorder 1] [--over generator|objects] [--results FOLDER] [--json FILE]

Rows are checked over --check-events before anything is timed. --over objects: events are made before the clock starts, by those that can.
Writes compare.jsonl (appended), compare.md and compare.svg to the folder (bench/results/local).`;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      query: { type: 'string' },
      peer: { type: 'string' },
      events: { type: 'string', default: '1000000' },
      'check-events': { type: 'string', default: '100000' },
      runs: { type: 'string', default: '5' },
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
  if (values.over !== 'generator' && values.over !== 'objects') throw new Error(`--over ${values.over}\n\n${usage}`);
  const settings: CompareSettings = {
    events: Number(values.events),
    checkEvents: Number(values['check-events']),
    seed: Number(values.seed),
    rate: Number(values.rate),
    disorder: Number(values.disorder),
    runs: Number(values.runs),
    over: values.over,
  };
  const names = values.query?.split(',') ?? queries.map(({ name }) => name);
  const result = await compare(names, chosen(values.peer, settings), settings, (far) => write(far, values.results));
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\n${result.table}\n`);
  const wrong = wrongRows(result.outcomes);
  for (const { query, contender, sha256 } of wrong)
    process.stderr.write(`${query}: the rows of ${contender} differ from those of the others (${sha256})\n`);
  if (wrong.length > 0) process.exitCode = 1;
}

function chosen(peers: string | undefined, { over }: CompareSettings): readonly Contender[] {
  const wanted = peers?.split(',');
  const unknown = wanted?.find((name) => !contenders.some((contender) => contender.name === name));
  if (unknown !== undefined)
    throw new Error(`there is no peer "${unknown}"; there are ${contenders.map(({ name }) => name).join(', ')}`);
  return contenders.filter(
    ({ name, takesObjects }) =>
      (over === 'generator' || takesObjects) && (name === 'mach' || (wanted?.includes(name) ?? true)),
  );
}

export interface Comparison {
  readonly benchmark: 'compare';
  readonly at: string;
  readonly machine: ReturnType<typeof machine>;
  readonly load_before: number;
  /** Of the tools on which the peers run. */
  readonly tools: Readonly<Record<string, string>>;
  readonly settings: CompareSettings;
  readonly outcomes: readonly Outcome[];
  /** Those of the last query. */
  readonly latest: readonly Outcome[];
  readonly table: string;
  readonly plot: string;
}

export async function compare(
  names: readonly string[],
  taking: readonly Contender[],
  settings: CompareSettings,
  afterQuery: (soFar: Comparison) => Promise<void>,
): Promise<Comparison> {
  const head = {
    benchmark: 'compare' as const,
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
  const comparison = (latest: readonly Outcome[]): Comparison => ({
    ...head,
    outcomes,
    latest,
    table: comparisonTable(outcomes, taking),
    plot: plotOf(outcomes, taking, names),
  });
  const lines = openLineFiles();
  try {
    for (const query of names) {
      const measured = await measureQuery(query, runners, { ...settings, lines });
      const latest = [...measured, ...absent.map((one) => ({ query, ...one }))];
      outcomes.push(...latest);
      for (const outcome of measured) process.stdout.write(`${progressLine(outcome)}\n`);
      await afterQuery(comparison(latest));
    }
  } finally {
    await Promise.all(runners.map(({ process: peer }) => peer.stop()));
    await lines.remove();
  }
  return comparison([]);
}

function progressLine(outcome: Outcome): string {
  const head = `${outcome.query.padEnd(4)} ${outcome.contender.padEnd(14)}`;
  if (isMissing(outcome)) return `${head} ${outcome.reason.split('\n')[0]}`;
  const { least, median, most } = outcome.eventsPerSecond;
  const rates = [least, median, most].map((rate) => Math.round(rate).toLocaleString('en').padStart(11)).join(' ');
  return `${head}${rates} events/s  ${outcome.cpuSecondsPerMillion.median.toFixed(2)} s/M  ${outcome.sha256.slice(0, 12)}`;
}

function plotOf(outcomes: readonly Outcome[], taking: readonly Contender[], names: readonly string[]): string {
  const series = taking.map(({ name, title }) => ({
    name: title,
    values: names.map((query) => {
      const found = outcomes.find((outcome) => outcome.query === query && outcome.contender === name);
      return found && !isMissing(found) ? found.eventsPerSecond.median : undefined;
    }),
  }));
  return barPlot({ title: 'Nexmark', unit: 'events/s' }, names, series);
}

/** After each query, so that a long comparison that is broken off has left what it knows. */
async function write({ table, plot, ...result }: Comparison, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { outcomes: _, latest, ...head } = result;
  const lines = latest.map((outcome) => `${JSON.stringify({ ...head, ...outcome })}\n`);
  await appendFile(`${folder}/compare.jsonl`, lines.join(''));
  const { cpu, cores, memory_gib, kernel, node, git } = head.machine;
  const { events, runs, over } = head.settings;
  const tools = Object.values(head.tools).map((tool) => `, ${tool}`);
  const where =
    `${events.toLocaleString('en')} events, ${runs} runs in turns over ${over}; ${cpu}, ${cores} cores, ${memory_gib} GiB, Linux ${kernel}, ` +
    `Node ${node}${tools.join('')}; revision ${git}, load before ${head.load_before.toFixed(1)}; ${head.at}`;
  await writeFile(`${folder}/compare.md`, `${where}\n\n${table}\n`);
  await writeFile(`${folder}/compare.svg`, plot);
}
