/** Waits until everything that was accepted is handled and written. */
import type { VirtualClock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import type { Engine } from '../../../runtime/execution/engine.ts';
import type { Cluster } from './cluster.ts';
import { waitingAnswers } from './engine-view.ts';
import type { Form } from './workloads.ts';

const lookEveryMs = 1_000;
const tryForMs = 180_000;
/** With the node of look-ups, where the topology has it. */
const askingNode = 'asked';

/** Resolves with the engines that have done it: together they have every partition once. */
export async function settle(clock: VirtualClock, cluster: Cluster, form: Form): Promise<readonly Engine[]> {
  for (;;) {
    const engines = form.workers === undefined ? ownerOf(cluster) : sharersOf(cluster, form.partitions);
    if (!engines) {
      await clock.sleep(lookEveryMs);
      continue;
    }
    const wasAlive = new Set(cluster.running());
    const settled = await Promise.race([
      allDone(clock, engines).then(
        () => true,
        (error) => {
          throw new Error(`does not settle: ${messageOf(error)}`);
        },
      ),
      ...cluster.running().map(({ died }) => died.then(() => false)),
      // Where two processes run, the one that is not the owner may never get there.
      clock.sleep(tryForMs).then(() => false),
    ]);
    const isSame = cluster.running().every((process) => wasAlive.has(process));
    if (settled && isSame && (form.workers === undefined || sharersOf(cluster, form.partitions))) return engines;
    const owner = cluster.owner();
    if (!settled && form.workers === undefined && owner && wasAlive.has(owner) && cluster.running().length > 1) {
      owner.kill('does not get on beside another owner');
    }
  }
}

function ownerOf(cluster: Cluster): readonly Engine[] | undefined {
  const engine = cluster.owner()?.engine;
  return engine && [engine];
}

/** Undefined while a partition has no owner, or two. */
function sharersOf(cluster: Cluster, partitions: number): readonly Engine[] | undefined {
  const engines = cluster.running().flatMap(({ engine }) => (engine ? [engine] : []));
  const held = engines.flatMap(({ units }) => [...units.keys()]);
  const isWhole = held.length === partitions && new Set(held).size === partitions;
  return isWhole ? engines.filter(({ units }) => units.size > 0) : undefined;
}

/** Also what waits for the answers of look-ups, and what came meanwhile. */
async function allDone(clock: VirtualClock, engines: readonly Engine[]): Promise<void> {
  const lastSequence = async () => (await (engines[0] as Engine).input.state()).lastSequence;
  for (;;) {
    const before = await lastSequence();
    await Promise.all(engines.map((engine) => engine.settled()));
    await Promise.all(engines.map((engine) => engine.accounted()));
    const isAsking = waitingAnswers(engines, askingNode) > 0;
    if (!isAsking && (await lastSequence()) === before) return;
    if (isAsking) await clock.sleep(lookEveryMs);
  }
}
