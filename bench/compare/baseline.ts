/**
 * `npm run bench -- baseline` keeps how fast this commit is, `npm run bench -- check-baseline` compares with what was kept. What is kept is the time
 * of the engine's operators as a multiple of the hand-written loop's, run by run in turns: another machine, or a busy one, shifts both.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oneOf, whole } from '../arguments.ts';
import { machine } from '../machine.ts';
import { queries } from '../nexmark/queries.ts';
import { loopQueries } from '../peers/loop/queries.ts';
import { contenders } from './contenders.ts';
import { startPeer } from './peer-process.ts';
import { areApart, type Spread, spreadOf } from './spread.ts';

const answerWithinMs = 600_000;
/** Slower by more than this, in runs that do not overlap, is a regression. */
const slowerMax = 1.1;
const defaultFile = fileURLToPath(new URL('../results/baseline.jsonl', import.meta.url));

export interface KeptBaseline {
  readonly git: string;
  readonly at: string;
  readonly events: number;
  readonly query: string;
  /** Processor time of the engine's operators over that of the loop. */
  readonly timesLoop: Spread;
}

interface Given {
  readonly names: readonly string[];
  readonly events: number;
  readonly runs: number;
  readonly file: string;
}

function readArguments(args: string[]): Given {
  const { values } = parseArgs({
    args,
    options: {
      query: { type: 'string' },
      events: { type: 'string', default: '500000' },
      runs: { type: 'string', default: '5' },
      file: { type: 'string', default: defaultFile },
    },
  });
  const known = queries.map(({ name }) => name).filter((name) => Object.hasOwn(loopQueries, name));
  const names = values.query?.split(',').map((name) => oneOf('query', name, known)) ?? known;
  const events = whole('events', values.events, { least: 1, most: 100_000_000 });
  return { names, events, runs: whole('runs', values.runs, { least: 1, most: 1_000 }), file: values.file };
}

/** `npm run bench -- baseline`. */
export async function keep(args: string[]): Promise<void> {
  const given = readArguments(args);
  for await (const kept of measure(given)) {
    await appendFile(given.file, `${JSON.stringify(kept)}\n`);
    process.stdout.write(`${kept.query.padEnd(4)} ${kept.timesLoop.median.toFixed(2)} times the loop\n`);
  }
}

/** `npm run bench -- check-baseline`. Exit code 1: slower than what was kept. */
export async function check(args: string[]): Promise<void> {
  const given = readArguments(args);
  const lines = await readFile(given.file, 'utf8').catch(() => {
    throw new Error(`there is no baseline in ${given.file}: keep one with npm run bench -- baseline`);
  });
  const kept = lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as KeptBaseline);
  for await (const now of measure(given)) {
    const before = kept.findLast(({ query }) => query === now.query);
    process.stdout.write(`${verdictLine(before, now)}\n`);
    if (before && isSlower(before.timesLoop, now.timesLoop)) process.exitCode = 1;
  }
}

export function isSlower(before: Spread, now: Spread): boolean {
  return now.median > before.median * slowerMax && areApart(before, now);
}

function verdictLine(before: KeptBaseline | undefined, now: KeptBaseline): string {
  const figure = ({ least, median, most }: Spread) =>
    `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
  const head = `${now.query.padEnd(4)} ${figure(now.timesLoop)} times the loop`;
  if (!before) return `${head}; nothing was kept`;
  const verdict = isSlower(before.timesLoop, now.timesLoop) ? 'SLOWER' : 'ok';
  return `${head}; ${figure(before.timesLoop)} at ${before.git}: ${verdict}`;
}

async function* measure({ names, events, runs }: Given): AsyncIterable<KeptBaseline> {
  const [own, loop] = ['mach', 'loop'].map((name) => {
    const contender = contenders.find((one) => one.name === name);
    if (!contender) throw new Error(`invariant broken: there is no contender ${name}`);
    return startPeer(contender, answerWithinMs);
  });
  if (!own || !loop) throw new Error('invariant broken: two processes were started');
  const { git } = machine();
  try {
    for (const query of names) {
      const request = { query, events, seed: 42, rate: 10_000, disorder: 1, over: 'objects' } as const;
      const ratios: number[] = [];
      for (let run = 0; run < runs; run++) {
        const [ours, loops] = [await own.ask(request), await loop.ask(request)];
        if (!('seconds' in ours)) throw new Error(`${query}: ${JSON.stringify(ours)}`);
        if (!('seconds' in loops)) throw new Error(`${query}, loop: ${JSON.stringify(loops)}`);
        ratios.push(ours.cpu_seconds / loops.cpu_seconds);
      }
      yield { git, at: new Date().toISOString(), events, query, timesLoop: spreadOf(ratios) };
    }
  } finally {
    await Promise.all([own.stop(), loop.stop()]);
  }
}
