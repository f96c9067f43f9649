/** `npm run bench -- growth`: how cost grows with keys, the overlap of windows, partitions, the size of the state, and the length of the stream. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, machine } from '../machine.ts';
import { type Case, casesOf } from './cases.ts';
import { type Measurement, measureCases } from './measure.ts';
import { growthPlots, growthTable } from './table.ts';
import { type Given, readArguments, type Subject, subjects, usage } from './usage.ts';

/** What all figures of one run have in common. */
interface RunHead {
  readonly benchmark: 'growth';
  readonly at: string;
  readonly machine: ReturnType<typeof machine>;
  readonly load_before: number;
  readonly runs: number;
}

export interface GrowthResult extends RunHead {
  readonly measured: readonly Measurement[];
}

export async function run(args: string[]): Promise<void> {
  const given = readArguments(args);
  if (!given) return void process.stdout.write(usage);
  const head: RunHead = {
    benchmark: 'growth',
    at: new Date().toISOString(),
    machine: machine(),
    load_before: load(),
    runs: given.runs,
  };
  await mkdir(given.results, { recursive: true });
  const measured: Measurement[] = [];
  for (const by of given.by) {
    const own = await measureCases(casesOf(by, given), given.runs, (done, of) => say(of, done, given));
    measured.push(...own);
    process.stdout.write(`${growthTable(by, own)}\n`);
    await keep({ ...head, measured: own }, { folder: given.results, by });
  }
  const result: GrowthResult = { ...head, measured };
  if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`kept in ${given.results}\n`);
}

/** As soon as it is known: the whole takes long, and may be made in parts. */
async function keep(
  { measured, ...head }: GrowthResult,
  { folder, by }: { folder: string; by: Subject },
): Promise<void> {
  const file = join(folder, 'growth.jsonl');
  await appendFile(file, measured.map((one) => `${JSON.stringify({ ...head, ...one })}\n`).join(''));
  const lines = (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  await writeFile(join(folder, 'growth.md'), growthPage(lines.map((line) => JSON.parse(line) as KeptMeasurement)));
  for (const [name, svg] of Object.entries(growthPlots(by, measured))) await writeFile(join(folder, name), svg);
}

export type KeptMeasurement = RunHead & Measurement;

/** Of everything that grows the newest run. */
export function growthPage(all: readonly KeptMeasurement[]): string {
  const parts = subjects.flatMap((by) => {
    const own = all.filter((one) => one.by === by);
    const newest = own.at(-1);
    if (!newest) return [];
    const shown = own.filter(({ at }) => at === newest.at);
    return `${growthTable(by, shown)}\n${whereOf(newest)}\n`;
  });
  return parts.join('\n');
}

function whereOf({ at, runs, load_before, machine: { cpu, cores, node, git } }: RunHead): string {
  return `Median (least to most) of ${runs} runs in turns, each in a process of its own, over the log in memory; ${cpu}, ${cores} cores, Node ${node}, ${git}, load before ${load_before.toFixed(1)}; ${at}`;
}

function say({ by, series, size }: Case, done: number, { runs }: Given): void {
  process.stderr.write(`${by}: ${series}, ${size.toLocaleString('en')} (${done + 1} of ${runs}) ...\n`);
}
