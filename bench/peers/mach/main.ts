/** The engine itself as a contender: the ordinary topologies, in one warm process like the others. */
import { queries } from '../../nexmark/queries.ts';
import { writeLines } from '../../nexmark/rows.ts';
import { collectLines, measureQuery, openMemoryLog, prepareQuery } from '../../nexmark/run-query.ts';
import { type PeerAnswer, type PeerRequest, servePeer } from '../request.ts';
import { measureStage } from './stage.ts';

const checkpointEveryMs = 10_000;

async function answer(request: PeerRequest): Promise<PeerAnswer> {
  const query = queries.find(({ name }) => name === request.query);
  if (!query) return { unsupported: 'there is no topology of this name' };
  const prepared = await prepareQuery(query, request);
  const { topology } = prepared;
  const log = openMemoryLog();
  try {
    if (request.over === 'objects') return measureStage(topology, request);
    const { seconds, cpuSeconds } = await measureQuery(topology, log, { ...request, partitions: 1, checkpointEveryMs });
    if (request.rows === undefined) return { seconds, cpu_seconds: cpuSeconds, rows: -1 };
    const lines = await collectLines(prepared, log);
    await writeLines(lines, request.rows);
    return { seconds, cpu_seconds: cpuSeconds, rows: lines.length };
  } finally {
    await log.close();
    await prepared.clean();
  }
}

await servePeer(answer);
