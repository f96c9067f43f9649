/**
 * A query that keeps no state, by several processes: each runs its share of the stream over a log in its own memory. They share nothing, so
 * the rows are those of all together.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { forkProgram } from '../machine.ts';
import { openLog } from './logs.ts';
import { type Query, queries } from './queries.ts';
import { RowBook } from './rows.ts';
import {
  collectLines,
  type Measured,
  measureQuery,
  passingOf,
  prepareQuery,
  type RunOptions,
  type StreamOptions,
} from './run-query.ts';
import { answerOf, kibibytesPerMebibyte } from './workers.ts';

export interface ShareRequest {
  readonly query: string;
  readonly stream: Omit<StreamOptions, 'share'>;
  readonly checkpointEveryMs: number;
  /** The rows are wanted. */
  readonly keepsRows: boolean;
}

type Times = Pick<Measured, 'beganAt' | 'endedAt'>;

interface ShareAnswer {
  readonly cpuSeconds: number;
  readonly maxRssMb: number;
  readonly lines: readonly string[];
}

export interface ShareResult {
  /** From the first event of all to the last row of all. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly maxRssMb: number;
  /** Sorted; none where they were not wanted. */
  readonly lines: readonly string[];
}

export interface ShareWorkers {
  /** One request at a time. */
  run(request: ShareRequest): Promise<ShareResult>;
  close(): void;
}

/** This process is the first of them; the others stay between requests. */
export function openShareWorkers(workers: number): ShareWorkers {
  const children: ChildProcess[] = [];
  for (let worker = 1; worker < workers; worker++) children.push(forkProgram('nexmark/shares.ts'));
  return {
    async run(request) {
      const shareOf = (worker: number) => `${worker + 1}/${workers}`;
      const ready = children.map((child, at) => ask(child, { ...request, share: shareOf(at + 1) }));
      const [own] = await Promise.all([prepareShare({ ...request, share: shareOf(0) }), ...ready]);
      const theirs = children.map(async (child) => (await ask(child, 'go')) as Times);
      const measured = await own.measure();
      const times = [measured, ...(await Promise.all(theirs))];
      const beganAt = Math.min(...times.map((one) => one.beganAt));
      const endedAt = Math.max(...times.map((one) => one.endedAt));
      const told = children.map((child) => ask(child, 'tell'));
      const answers = [await own.tell(measured), ...((await Promise.all(told)) as ShareAnswer[])];
      const sum = (of: 'cpuSeconds' | 'maxRssMb') => answers.reduce((total, one) => total + one[of], 0);
      const lines = together(queryOf(request.query), answers);
      return { seconds: (endedAt - beganAt) / 1_000, cpuSeconds: sum('cpuSeconds'), maxRssMb: sum('maxRssMb'), lines };
    },
    close() {
      for (const child of children) child.kill();
    },
  };
}

function ask(child: ChildProcess, message: object | string): Promise<unknown> {
  const answer = answerOf(child);
  child.send(message);
  return answer;
}

function together(query: Query, answers: readonly ShareAnswer[]): readonly string[] {
  const book = new RowBook(query);
  for (const line of answers.flatMap(({ lines }) => lines)) {
    const cells = JSON.parse(line) as unknown[];
    book.add(Object.fromEntries(query.columns.map((name, at) => [name, cells[at]])));
  }
  return book.lines();
}

function queryOf(name: string): Query {
  const query = queries.find((one) => one.name === name);
  if (!query) throw new Error(`there is no query ${name}`);
  return query;
}

async function prepareShare({ query, stream, share, keepsRows, checkpointEveryMs }: ShareRequest & { share: string }) {
  const prepared = await prepareQuery(queryOf(query), { ...stream, share });
  const options: RunOptions = { ...stream, partitions: 1, checkpointEveryMs };
  const { log, close } = await openLog('memory', passingOf(prepared.topology, { partitions: 1, keepsRows }));
  return {
    measure: () => measureQuery(prepared.topology, log, options),
    async tell({ cpuSeconds }: { cpuSeconds: number }): Promise<ShareAnswer> {
      const lines = keepsRows ? await collectLines(prepared, log) : [];
      await close();
      await prepared.clean();
      return { cpuSeconds, maxRssMb: Math.round(process.resourceUsage().maxRSS / kibibytesPerMebibyte), lines };
    },
  };
}

/** One of the others. */
export async function runProgram(): Promise<void> {
  for (;;) {
    const [request] = (await once(process, 'message')) as [ShareRequest & { share: string }];
    const own = await prepareShare(request);
    process.send?.('ready');
    await once(process, 'message');
    const measured = await own.measure();
    const { beganAt, endedAt } = measured;
    process.send?.({ beganAt, endedAt } satisfies Times);
    await once(process, 'message');
    process.send?.(await own.tell(measured));
  }
}
