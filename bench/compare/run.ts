/** `npm run bench -- compare`: queries of Nexmark by the engine and its peers, in one run on one machine. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine } from '../machine.ts';
import { queries } from '../nexmark/queries.ts';
import { type Contender, contenders, prepare, toolVersions } from './contenders.ts';
import { openLineFiles } from './line-files.ts';
import { type CompareSettings, isMissing, measureQuery, type Outcome, wrongRows } from './measure.ts';
import { startPeer } from './peer-process.ts';
import { keepOutcomes, type RunHead } from './report.ts';
import { comparisonTable } from './table.ts';

const answerWithinMs = 600_000;

const usage = `npm run bench -- compare [--query q5,q7] [--peer flink,loop] [--events 1000000] [--check-events 100000] [--runs 5]
  [--seed 42] [--rate 10000] [--disorder 1] [--over generator|objects] [--results FOLDER] [--json FILE]

Rows are checked over --check-events before anything is timed. --over objects: events are made before the clock starts, by those that can.
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
  const result = await compare(names, chosen(values.peer, settings), settings, values.results);
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

function progressLine(outcome: Outcome): string {
  const head = `${outcome.query.padEnd(4)} ${outcome.contender.padEnd(14)}`;
  if (isMissing(outcome)) return `${head} ${outcome.reason.split('\n')[0]}`;
  const { least, median, most } = outcome.eventsPerSecond;
  const rates = [least, median, most].map((rate) => Math.round(rate).toLocaleString('en').padStart(11)).join(' ');
  return `${head}${rates} events/s  ${outcome.cpuSecondsPerMillion.median.toFixed(2)} s/M  ${outcome.sha256.slice(0, 12)}`;
}
