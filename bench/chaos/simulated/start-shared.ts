/** An engine that shares its partitions with others on the same log, as `mach run` wires it. */
import type { Log } from '../../../runtime/bus/log.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { type Engine, type EngineOptions, startEngine } from '../../../runtime/execution/engine.ts';
import { type Ownership, startOwnership } from '../../../runtime/execution/ownership.ts';
import { topologyNames } from '../../../runtime/topology/names.ts';

export async function startShared(
  options: EngineOptions,
  worker: { log: Log; clock: Clock; index: number; onFailure(error: unknown): void; onTaken(): void },
): Promise<Engine> {
  const { index, log, clock, onFailure } = worker;
  let ownership: Ownership | undefined;
  const engine = await startEngine({
    ...options,
    units: [],
    onUnitTaken: (partition, error) => ownership?.drop(partition, messageOf(error)),
  });
  const { name: topology } = options.topology;
  ownership = await startOwnership({
    log,
    names: topologyNames(topology),
    topology,
    partitions: engine.plan.partitions,
    worker: `w${index}`,
    host: 'simulated',
    processId: index,
    clock,
    logger: options.logger,
    async gain(partition) {
      await engine.openUnit(partition);
      worker.onTaken();
    },
    lose: async (partition, how) => {
      if (engine.state !== 'stopped') await engine.closeUnit(partition, how);
    },
    onFailure,
  });
  return engine;
}
