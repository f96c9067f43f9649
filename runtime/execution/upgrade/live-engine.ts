/**
 * An engine whose topology can be changed while it runs. To everybody around it it stays one engine: behind it the one of the old
 * version ends between two messages of the log, and the one of the new version goes on from there. Sources that did not change keep
 * their sockets, and take in and acknowledge all the while, since what they accept goes to the log.
 */
import type { BoundTopology } from '../../topology/bound.ts';
import { type Engine, type EngineOptions, startEngine } from '../engine.ts';
import { executionErrors } from '../errors.ts';
import { type Change, changeTopology } from './change.ts';
import { finishOldVersion, type Rebind } from './finish-version.ts';
import type { UpgradePlan } from './plan-upgrade.ts';

export interface UpgradeOptions {
  readonly acceptLoss?: readonly string[];
}

export interface Upgrade {
  readonly plan: UpgradePlan;
  /** False: the versions are the same, and nothing was done. */
  readonly applied: boolean;
  /** Sources whose sockets stayed open. */
  readonly keptOpen: readonly string[];
  /** From the end of the old version's last message to the begin of the new one's, ms. */
  readonly pauseMs: number;
}

export interface LiveEngine extends Engine {
  /**
   * Puts another version of the topology in the place of this one. Everything that can fail is tried before the old one ends; when the
   * new one does not come up all the same, the old one goes on. Rejects with MACH3223 (refused: it would lose something), MACH3224
   * (under way already) or MACH3225 (it did not come up); the old one runs then.
   */
  upgrade(topology: BoundTopology, options?: UpgradeOptions): Promise<Upgrade>;
}

/** `rebind`: to let the version that ran before finish what it had begun, when this is another one. */
export async function startLiveEngine(options: EngineOptions, rebind?: Rebind): Promise<LiveEngine> {
  if (rebind) await finishOldVersion(options, rebind);
  let current = await startEngine(options);
  let changing: Promise<unknown> | undefined;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const watch = (engine: Engine) => {
    void engine.failed.then(async (error) => {
      // One that is being replaced may fail on the way: its successor decides.
      await changing?.catch(() => undefined);
      if (engine === current) fail(error);
    });
  };
  watch(current);

  function change(topology: BoundTopology, { acceptLoss = [] }: UpgradeOptions): Promise<Upgrade> {
    const start = (next: BoundTopology, more: Partial<EngineOptions>) =>
      startEngine({ ...options, topology: next, units: [...current.units.keys()], ...more });
    const work: Change = {
      options,
      old: current,
      next: topology,
      acceptLoss,
      start,
      took(engine) {
        current = engine;
        watch(engine);
      },
      gaveUp: fail,
    };
    return changeTopology(work);
  }

  /** After the change that is under way, so that whoever takes or gives a partition meets one engine. */
  async function afterChange<T>(work: () => Promise<T>): Promise<T> {
    await changing?.catch(() => undefined);
    return work();
  }

  const live: Omit<LiveEngine, keyof Engine> & Pick<Engine, 'failed' | 'startedAt'> = {
    failed,
    startedAt: current.startedAt,
    async upgrade(topology, upgradeOptions = {}) {
      if (changing) throw executionErrors.make('MACH3224', { topology: topology.name });
      changing = change(topology, upgradeOptions);
      try {
        return (await changing) as Upgrade;
      } finally {
        changing = undefined;
      }
    },
  };
  return new Proxy(live as LiveEngine, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name);
      if (name === 'openUnit') {
        return (partition: number) =>
          afterChange(async () => {
            if (rebind && current.plan.partitions === 1) {
              await finishOldVersion({ ...options, topology: current.topology, units: [partition] }, rebind);
            }
            return current.openUnit(partition);
          });
      }
      if (name === 'drain' || name === 'stop' || name === 'closeUnit') {
        return (...args: never[]) =>
          afterChange(() => (current[name] as (...given: never[]) => Promise<void>)(...args));
      }
      return Reflect.get(current, name);
    },
  });
}
