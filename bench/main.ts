/** `npm run bench -- NAME [options]`: one workload of the bench, by its name. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UseError } from './arguments.ts';

interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Takes the rest of the command line. Every workload knows `--json FILE`. */
  load(): Promise<{ run(args: string[]): Promise<void> }>;
}

const workloads: readonly Workload[] = [
  {
    name: 'compare',
    summary:
      'queries of Nexmark by the engine and its peers, in turns  [--query q5] [--peer flink] [--events N] [--runs 5]',
    load: () => import('./compare/run.ts'),
  },
  {
    name: 'baseline',
    summary: 'keeps how fast the operators of this commit are, as a multiple of the hand-written loop  [--query q1,q5]',
    load: async () => ({ run: (await import('./compare/baseline.ts')).keep }),
  },
  {
    name: 'check-baseline',
    summary: 'compares with what was kept; fails on more than 10 % in runs that do not overlap  [--query q1,q5]',
    load: async () => ({ run: (await import('./compare/baseline.ts')).check }),
  },
  {
    name: 'end-to-end',
    summary:
      'latency from intended send to readable row, sustained rates, ceilings of the parts  [--rate 1000] [--for 30s]',
    load: () => import('./end-to-end/run.ts'),
  },
  {
    name: 'feed-115',
    summary: 'the 115 source alone: gRPC, decoding, acknowledgements  [--rate N] [--for 10s] [--batch 200]',
    load: () => import('./feed-115.ts'),
  },
  {
    name: 'growth',
    summary:
      'how cost grows with keys, overlap of windows, partitions, state and length of the stream  [--by keys] [--runs 5]',
    load: () => import('./growth/run.ts'),
  },
  { name: 'hl7', summary: 'HL7 messages decoded on one core', load: () => import('./hl7.ts') },
  { name: 'insert', summary: 'rows into the embedded store  [--for 1s]', load: () => import('./insert.ts') },
  {
    name: 'latency',
    summary:
      'from the moment for which an event is meant to its row with the sink, at a steady rate  [--rate 10000] [--for 60s] [--query q0] [--log memory]',
    load: () => import('./latency/run.ts'),
  },
  {
    name: 'log',
    summary:
      'what the log costs: appends, and from one end to the other, against the raw client  [--seconds 1] [--runs 5] [--only append|through]',
    load: () => import('./log/run.ts'),
  },
  {
    name: 'nexmark',
    summary: 'the queries of Nexmark  [--query q5,q7] [--events 1000000] [--seed 42] [--rate 10000] [--disorder 100]',
    load: () => import('./nexmark/command.ts'),
  },
  {
    name: 'takeover',
    summary:
      'from the death of a worker to the next row, and a start with a large state  [--trials 4] [--keys 1000000]',
    load: () => import('./takeover/run.ts'),
  },
  {
    name: 'provenance',
    summary: 'what it costs that every row carries its origin  [--turns 21] [--rows 60000]',
    load: () => import('./provenance.ts'),
  },
  { name: 'expression', summary: 'evaluations of a filter on one core', load: () => import('./expression.ts') },
];

/** A file that cannot be written would be noticed when all has been measured. */
function refuseUnwritable(args: readonly string[]): void {
  for (const [at, option] of args.entries()) {
    const [name = '', joined] = option.split('=');
    const file = joined ?? args[at + 1];
    if (!['--json', '--rows'].includes(name) || file === undefined) continue;
    if (!existsSync(dirname(resolve(file)))) throw new UseError(`${name} ${file}: there is no such folder`);
  }
}

function help(): string {
  const width = Math.max(...workloads.map(({ name }) => name.length));
  return [
    'npm run bench -- NAME [options]',
    '',
    ...workloads.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every one takes --json FILE for its figures. Exit code 1: a result was wrong; 2: wrong use.',
    '',
  ].join('\n');
}

/** Runs the workload that the command line of this process names. */
export async function runProgram(): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const workload = workloads.find((candidate) => candidate.name === name);
  if (name === '--help' || name === 'help') {
    process.stdout.write(help());
  } else if (!workload) {
    process.stderr.write(`${name === undefined ? 'Name a workload.' : `There is no workload "${name}".`}\n\n${help()}`);
    process.exitCode = 2;
  } else {
    try {
      refuseUnwritable(args);
      await (await workload.load()).run(args);
    } catch (error) {
      const isUse = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
      const use = `${workload.name}: ${workload.summary}  [--json FILE]\n`;
      if (isUse && args.includes('--help')) process.stdout.write(use);
      else {
        const more = `npm run bench -- ${workload.name} --help tells more.\n`;
        process.stderr.write(isUse ? `${(error as Error).message}\n\n${use}${more}` : `${(error as Error).stack}\n`);
        process.exitCode = isUse ? 2 : 1;
      }
    }
  }
}
