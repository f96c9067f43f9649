/**
 * The folder of a comparison: `compare.jsonl` keeps what was measured; `compare.md` and `compare.svg` show, of each query, its newest run. So a long
 * comparison can be made in parts, and one that is broken off has left what it knows.
 */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Machine } from '../machine.ts';
import { queries } from '../nexmark/queries.ts';
import { type Contender, contenders } from './contenders.ts';
import { type CompareSettings, isMissing, type Outcome } from './measure.ts';
import { barPlot } from './plot.ts';
import { comparisonTable } from './table.ts';

/** What all figures of one run have in common. */
export interface RunHead {
  readonly benchmark: 'compare';
  readonly at: string;
  readonly machine: Machine;
  readonly load_before: number;
  /** Of the tools on which the peers run. */
  readonly tools: Readonly<Record<string, string>>;
  readonly settings: CompareSettings;
}

type KeptOutcome = RunHead & Outcome;

/** Adds what was measured of a query. */
export async function keepOutcomes(folder: string, head: RunHead, outcomes: readonly Outcome[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines = outcomes.map((outcome) => `${JSON.stringify({ ...head, ...outcome })}\n`);
  await appendFile(`${folder}/compare.jsonl`, lines.join(''));
  const all = (await readFile(`${folder}/compare.jsonl`, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as KeptOutcome);
  const shown = newestByQuery(all);
  const taking = contenders.filter(({ name }) => shown.some(({ contender }) => contender === name));
  await writeFile(`${folder}/compare.md`, `${headLines(shown).join('\n')}\n\n${comparisonTable(shown, taking)}\n`);
  await writeFile(`${folder}/compare.svg`, plotOf(shown, taking));
}

/** In the order of the queries. Contenders stand beside each other only where they ran in turns. */
export function newestByQuery(all: readonly KeptOutcome[]): readonly KeptOutcome[] {
  return queries.flatMap(({ name }) => {
    const ofQuery = all.filter(({ query }) => query === name);
    const newest = ofQuery
      .map(({ at }) => at)
      .sort()
      .at(-1);
    return ofQuery.filter(({ at }) => at === newest);
  });
}

function headLines(shown: readonly KeptOutcome[]): string[] {
  const runs = [...new Map(shown.map((one) => [one.at, one])).values()];
  return runs.map((run) => {
    const { cpu, cores, memory_gib, kernel, node, git } = run.machine;
    const { events, runs: turns, over } = run.settings;
    const names = [...new Set(shown.filter(({ at }) => at === run.at).map(({ query }) => query))];
    const tools = Object.values(run.tools).map((tool) => `, ${tool}`);
    return (
      `- ${names.join(', ')}: ${events.toLocaleString('en')} events, ${turns} runs in turns over ${over}; ${cpu}, ${cores} cores, ${memory_gib} GiB, ` +
      `Linux ${kernel}, Node ${node}${tools.join('')}; revision ${git}, load before ${run.load_before.toFixed(1)}; ${run.at}`
    );
  });
}

function plotOf(outcomes: readonly Outcome[], taking: readonly Contender[]): string {
  const names = [...new Set(outcomes.map(({ query }) => query))];
  const series = taking.map(({ name, title }) => ({
    name: title,
    values: names.map((query) => {
      const found = outcomes.find((outcome) => outcome.query === query && outcome.contender === name);
      return found && !isMissing(found) ? found.eventsPerSecond.median : undefined;
    }),
  }));
  return barPlot({ title: 'Nexmark', unit: 'events/s' }, names, series);
}
