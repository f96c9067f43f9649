/** The engine itself as a contender: the ordinary topologies, in one warm process like the others. */
import { openLog } from '../../nexmark/logs.ts';
import { queries } from '../../nexmark/queries.ts';
import { writeLines } from '../../nexmark/rows.ts';
import { collectLines, measureQuery, passingOf, prepareQuery } from '../../nexmark/run-query.ts';
import { openShareWorkers, type ShareWorkers } from '../../nexmark/shares.ts';
import { type PeerAnswer, type PeerRequest, servePeer } from '../request.ts';
import { measureStage } from './stage.ts';

const checkpointEveryMs = 10_000;

async function answer(request: PeerRequest): Promise<PeerAnswer> {
  const query = queries.find(({ name }) => name === request.query);
  if (!query) return { unsupported: 'there is no topology of this name' };
  if (request.workers !== undefined) return byShares(request, request.workers);
  const prepared = await prepareQuery(query, request);
  try {
    if (request.over === 'objects' && request.rows === undefined) return measureStage(prepared.topology, request);
    return await runEngine(prepared, request);
  } finally {
    await prepared.clean();
  }
}

let shares: ShareWorkers | undefined;

async function byShares(request: PeerRequest, workers: number): Promise<PeerAnswer> {
  if (!queries.find(({ name }) => name === request.query)?.isStateless)
    return { unsupported: 'it keeps state: its workers would need a log that they share' };
  shares ??= openShareWorkers(workers);
  const { query, events, seed, rate, disorder, rows } = request;
  const stream = { events, seed, rate, disorder };
  const result = await shares
    .run({ query, stream, checkpointEveryMs, keepsRows: rows !== undefined })
    .catch((error) => {
      // Half of a request is no beginning for the next.
      shares?.close();
      shares = undefined;
      throw error;
    });
  if (rows !== undefined) await writeLines(result.lines, rows);
  return {
    seconds: result.seconds,
    cpu_seconds: result.cpuSeconds,
    rows: rows === undefined ? -1 : result.lines.length,
  };
}

async function runEngine(
  prepared: Awaited<ReturnType<typeof prepareQuery>>,
  request: PeerRequest,
): Promise<PeerAnswer> {
  const options = { ...request, partitions: 1, checkpointEveryMs };
  const keepsRows = request.rows !== undefined;
  const { log, close } = await openLog('memory', passingOf(prepared.topology, { ...options, keepsRows }));
  try {
    const { seconds, cpuSeconds } = await measureQuery(prepared.topology, log, options);
    if (request.rows === undefined) return { seconds, cpu_seconds: cpuSeconds, rows: -1 };
    const lines = await collectLines(prepared, log);
    await writeLines(lines, request.rows);
    return { seconds, cpu_seconds: cpuSeconds, rows: lines.length };
  } finally {
    await close();
  }
}

export async function runProgram(): Promise<void> {
  await servePeer(answer);
  shares?.close();
}
