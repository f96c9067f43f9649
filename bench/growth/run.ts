/** `npm run bench -- growth`: how cost grows with keys, the overlap of windows, partitions, the size of the state, and the length of the stream. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, machine } from '../machine.ts';
import { type Case, casesOf } from './cases.ts';
import { type Measurement, measureCases } from './measure.ts';
import { growthPlots, growthTable } from './table.ts';
import { type Given, readArguments, usage } from './usage.ts';

export interface GrowthResult {
  readonly benchmark: 'growth';
  readonly at: string;
  readonly machine: ReturnType<typeof machine>;
  readonly load_before: number;
  readonly runs: number;
  readonly measured: readonly Measurement[];
}

export async function run(args: string[]): Promise<void> {
  const given = readArguments(args);
  if (!given) return void process.stdout.write(usage);
  const head = {
    benchmark: 'growth',
    at: new Date().toISOString(),
    machine: machine(),
    load_before: load(),
    runs: given.runs,
  } as const;
  await mkdir(given.results, { recursive: true });
  const measured: Measurement[] = [];
  const tables: string[] = [];
  for (const by of given.by) {
    const own = await measureCases(casesOf(by, given), given.runs, (done, of) => say(of, done, given));
    measured.push(...own);
    tables.push(growthTable(by, own));
    process.stdout.write(`${tables.at(-1)}\n`);
    await keep({ ...head, measured: own }, { folder: given.results, plots: growthPlots(by, own) });
  }
  await writeFile(join(given.results, 'growth.md'), `${whereOf(head)}\n\n${tables.join('\n')}`);
  const result: GrowthResult = { ...head, measured };
  if (given.json !== undefined) await writeFile(given.json, `${JSON.stringify(result, null, 2)}\n`);
}

/** As soon as it is known: the whole takes long. */
async function keep(
  { measured, ...head }: GrowthResult,
  { folder, plots }: { folder: string; plots: Readonly<Record<string, string>> },
): Promise<void> {
  const lines = measured.map((one) => `${JSON.stringify({ ...head, ...one })}\n`);
  await appendFile(join(folder, 'growth.jsonl'), lines.join(''));
  for (const [name, svg] of Object.entries(plots)) await writeFile(join(folder, name), svg);
}

function whereOf({
  at,
  runs,
  load_before,
  machine: { cpu, cores, node, git },
}: Omit<GrowthResult, 'measured'>): string {
  return `Median (least to most) of ${runs} runs in turns, each in a process of its own, over the log in memory; ${cpu}, ${cores} cores, Node ${node}, ${git}, load before ${load_before.toFixed(1)}; ${at}`;
}

function say({ by, series, size }: Case, done: number, { runs }: Given): void {
  process.stderr.write(`${by}: ${series}, ${size.toLocaleString('en')} (${done + 1} of ${runs}) ...\n`);
}
