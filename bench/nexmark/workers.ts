/** Other processes that run their share of a query's partitions over the same log. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connectLog } from '../../runtime/bus/index.ts';
import { systemClock } from '../../runtime/clock.ts';
import { forkProgram } from '../machine.ts';
import { queries } from './queries.ts';
import { type Measured, measureQuery, prepareQuery, type RunOptions } from './run-query.ts';

interface Assignment {
  readonly query: string;
  readonly url: string;
  readonly options: RunOptions;
  readonly units: readonly number[];
}

export interface WorkerUsage {
  readonly cpuSeconds: number;
  /** ms since the epoch: of its last row. */
  readonly endedAt: number;
  readonly maxRssMb: number;
}

export interface Workers {
  /** They begin. Resolves when all have come to the end. */
  run(): Promise<readonly WorkerUsage[]>;
  close(): void;
}

/** Partitions of one of the workers; the first has the source. */
export function unitsOf(worker: number, { partitions, workers }: { partitions: number; workers: number }): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => partition % workers === worker,
  );
}

/** Resolves when all of them are ready to begin. */
export async function openWorkers(args: Omit<Assignment, 'units'> & { readonly workers: number }): Promise<Workers> {
  const { workers, ...rest } = args;
  const children: ChildProcess[] = [];
  const close = () => {
    for (const child of children) child.kill();
  };
  try {
    for (let worker = 1; worker < workers; worker++) {
      const child = forkProgram('nexmark/workers.ts');
      children.push(child);
      child.send({
        ...rest,
        units: unitsOf(worker, { partitions: rest.options.partitions, workers }),
      } satisfies Assignment);
    }
    await Promise.all(children.map(answerOf));
  } catch (error) {
    close();
    throw error;
  }
  return {
    run: () =>
      Promise.all(
        children.map(async (child) => {
          const answer = answerOf(child);
          child.send('go');
          return (await answer) as WorkerUsage;
        }),
      ),
    close,
  };
}

/** Its next message; rejects when it ends before. */
export async function answerOf(child: ChildProcess): Promise<unknown> {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a worker has ended with code ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [unknown];
    return message;
  } finally {
    // A worker that is asked again and again must not be listened to once more each time.
    answered.abort();
  }
}

export const kibibytesPerMebibyte = 1024;

async function work({ query: name, url, options, units }: Assignment): Promise<void> {
  const query = queries.find((one) => one.name === name);
  if (!query) throw new Error(`there is no query ${name}`);
  const prepared = await prepareQuery(query, options);
  const log = await connectLog({ url, clock: systemClock() });
  process.send?.('ready');
  await once(process, 'message');
  const { cpuSeconds, endedAt }: Measured = await measureQuery(prepared.topology, log, { ...options, units });
  const maxRssMb = Math.round(process.resourceUsage().maxRSS / kibibytesPerMebibyte);
  process.send?.({ cpuSeconds, endedAt, maxRssMb } satisfies WorkerUsage);
  await log.close();
  await prepared.clean();
  process.disconnect();
}

/** One of the workers. */
export async function runProgram(): Promise<void> {
  const [assignment] = (await once(process, 'message')) as [Assignment];
  await work(assignment);
}
