/** The engine itself as a contender: the ordinary topologies, in one warm process like the others. */
import { queries } from '../../nexmark/queries.ts';
import { collectRows, loadQuery, measureQuery, openMemoryLog } from '../../nexmark/run-query.ts';
import { type PeerAnswer, type PeerRequest, servePeer } from '../request.ts';
import { measureStage } from './stage.ts';

const checkpointEveryMs = 10_000;

async function answer(request: PeerRequest): Promise<PeerAnswer> {
  const query = queries.find(({ name }) => name === request.query);
  if (!query) return { unsupported: 'there is no topology of this name' };
  const topology = loadQuery(query, request);
  if (request.over === 'objects') return measureStage(topology, request);
  const log = openMemoryLog();
  try {
    const { seconds, cpuSeconds } = await measureQuery(topology, log, { ...request, partitions: 1, checkpointEveryMs });
    const counted =
      request.rows === undefined ? undefined : await collectRows(topology, log, { query, file: request.rows });
    return { seconds, cpu_seconds: cpuSeconds, rows: counted?.count ?? -1 };
  } finally {
    await log.close();
  }
}

await servePeer(answer);
