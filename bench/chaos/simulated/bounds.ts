/** Nothing grows without end: state, checkpoints, promises, queues and timers at the end of a simulation. */
import type { MemoryStorage } from '../../../runtime/bus/memory/storage.ts';
import type { VirtualClock } from '../../../runtime/clock.ts';
import type { Engine } from '../../../runtime/execution/engine.ts';
import { limits } from '../../../runtime/limits.ts';
import type { Cluster } from './cluster.ts';
import { stagesOf } from './engine-view.ts';
import type { SentRequest } from './senders.ts';

const timersPerProcessMax = 40;
/** Of a put that was under way when its process died, and of the one of the process that took over. */
const piecesPerDeathMax = 2;
/** Its list of pieces, and the only piece that the small state here has. */
const messagesPerCheckpoint = 2;
const checkpointsMax = limits.checkpointsKept + 1 + limits.checkpointHistoryMs / limits.checkpointHistoryEveryMs;

export function checkBounds(args: {
  engines: readonly Engine[];
  cluster: Cluster;
  storage: MemoryStorage;
  clock: VirtualClock;
  requests: readonly SentRequest[];
}): string[] {
  const { engines, cluster, storage, requests } = args;
  const { topology } = engines[0] as Engine;
  const problems: string[] = [];
  const atMost = (what: string, found: number, most: number) => {
    if (found > most) problems.push(`${what}: ${found}, may be ${most} at most`);
  };
  const events = requests.reduce((sum, request) => sum + request.events.length, 0);
  const stages = stagesOf(...engines);
  for (const { id } of topology.operators) {
    const keys = stages.reduce((sum, { machine }) => sum + (machine.runner(id)?.stateKeys ?? 0), 0);
    atMost(`state keys of ${id}`, keys, events + 1);
  }
  for (const { publishers } of stages) {
    for (const [output, publisher] of publishers) atMost(`rows waiting for ${output}`, publisher.waiting, 0);
  }
  const running = cluster.running().length;
  for (const { spec, messages } of storage.streams.values()) {
    if (!spec.latestOnly) continue;
    const deaths = cluster.processes.length;
    const isCheckpoints = spec.name.startsWith('objects-');
    const most = isCheckpoints
      ? (messagesPerCheckpoint * (checkpointsMax + running) + piecesPerDeathMax * deaths) * stages.length
      : (topology.sinks.length + 1) * stages.length + 1;
    atMost(`messages of ${spec.name}`, messages.size, most);
  }
  atMost('timers', args.clock.pending, timersPerProcessMax * stages.length * running + requests.length);
  return problems;
}
