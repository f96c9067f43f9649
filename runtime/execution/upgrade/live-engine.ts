/**
 * An engine whose topology can be changed while it runs. To everybody around it it stays one engine: behind it the one of the old
 * version ends between two messages of the log, and the one of the new version goes on from there. Sources that did not change keep
 * their sockets, and take in and acknowledge all the while, since what they accept goes to the log.
 */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import { noCrashPoints } from '../../faults.ts';
import { limits } from '../../limits.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { topologyNames } from '../../topology/names.ts';
import { type Engine, type EngineOptions, type Mark, startEngine } from '../engine.ts';
import { executionErrors } from '../errors.ts';
import { type Agreement, isUnderWay, type UpgradeRecord, versionOf } from './agreement.ts';
import { type Change, changeTopology } from './change.ts';
import { finishOldVersion, type Rebind } from './finish-version.ts';
import { leadUpgrade } from './lead.ts';
import type { UpgradePlan } from './plan-upgrade.ts';
import { takePart, versionOfRecord } from './take-part.ts';

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
   * (under way already) or MACH3225 (it did not come up); the old one runs then. Where workers share the topology all of them change.
   */
  upgrade(topology: BoundTopology, options?: UpgradeOptions): Promise<Upgrade>;
}

/** An engine and the mark at which it is to end. */
interface Current {
  readonly engine: Engine;
  readonly gate: Gate;
}

/** Lets the stages of one engine pass by the marks of other changes, and holds them at that of its own. */
class Gate {
  private own: string | undefined;
  private meet: (mark: Mark) => void = () => {};
  private readonly passing: (mark: Mark) => Promise<void>;

  constructor(passing: (mark: Mark) => Promise<void>) {
    this.passing = passing;
  }

  /** Resolves when a stage stands at the mark of this change. */
  holdAt(id: string): Promise<Mark> {
    this.own = id;
    return new Promise((resolve) => {
      this.meet = resolve;
    });
  }

  readonly onMark = (mark: Mark): Promise<void> => {
    if (mark.id !== this.own) return this.passing(mark);
    this.meet(mark);
    return new Promise(() => {});
  };
}

/**
 * `rebind`: to let the version that ran before finish what it had begun, when this is another one. `agreement`: the topology is shared
 * with other workers, and changes in all of them at once.
 */
export async function startLiveEngine(
  options: EngineOptions,
  rebind?: Rebind,
  agreement?: Agreement,
): Promise<LiveEngine> {
  if (rebind) await finishOldVersion(options, rebind);
  const machineClock = options.machineClock ?? systemClock();
  const objects = await options.log.objects(topologyNames(options.topology.name).checkpointBucket);
  let current = await startWith({});
  let changing: Promise<unknown> | undefined;
  let opening = 0;
  let following: Promise<void> | undefined;
  const before = await agreement?.read();
  /** The change that this worker has taken part in last, or that was over before. */
  let known = before && !isUnderWay(before) && versionOf(before) === options.topology.hash ? before.id : undefined;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  watch(current.engine);
  if (agreement) lookAgain(agreement);

  async function startWith(more: Partial<EngineOptions>): Promise<Current> {
    const { topology } = { ...options, ...more };
    const gate = new Gate((mark) => passMark(mark, topology));
    return { engine: await startEngine({ ...options, ...more, onMark: gate.onMark }), gate };
  }

  function watch(engine: Engine): void {
    void engine.failed.then(async (error) => {
      // One that is being replaced may fail on the way: its successor decides.
      await changing?.catch(() => undefined);
      if (engine === current.engine) fail(error);
    });
  }

  function changeTo(next: BoundTopology, acceptLoss: readonly string[]): Change {
    const gates = new Map<Engine, Gate>();
    return {
      options,
      old: current.engine,
      next,
      acceptLoss,
      async start(topology, more) {
        const begun = await startWith({ topology, units: [...current.engine.units.keys()], ...more });
        gates.set(begun.engine, begun.gate);
        return begun.engine;
      },
      took(engine) {
        current = { engine, gate: gates.get(engine) as Gate };
        watch(engine);
      },
      gaveUp: fail,
    };
  }

  function changeHere(topology: BoundTopology, acceptLoss: readonly string[]): Promise<Upgrade> {
    const id = randomUUID();
    void current.gate.holdAt(id);
    const { engine } = current;
    return changeTopology(changeTo(topology, acceptLoss), { mark: () => engine.appendMark(id), ready: async () => {} });
  }

  async function changeEverywhere(
    agreed: Agreement,
    next: BoundTopology,
    acceptLoss: readonly string[],
  ): Promise<Upgrade> {
    const { engine } = current;
    const done = await leadUpgrade({
      agreement: agreed,
      old: engine.topology,
      next,
      spread: engine.plan,
      acceptLoss,
      objects,
      clock: machineClock,
      crashPoints: options.crashPoints ?? noCrashPoints,
      appendMark: (id) => engine.appendMark(id),
    });
    // Its own part ends a little later.
    await changing?.catch(() => undefined);
    return done;
  }

  function lookAgain(agreed: Agreement): void {
    machineClock.after(limits.upgradeLookEveryMs, () => {
      if (isOver()) return;
      void look(agreed)
        .catch(fail)
        .finally(() => lookAgain(agreed));
    });
  }

  /** Takes part in a change that has begun, or follows one that is done. */
  async function look(agreed: Agreement): Promise<void> {
    const record = await agreed.read().catch(() => undefined);
    // A partition that is being opened would not be counted.
    if (!record || record.id === known || changing || opening > 0 || isOver()) return;
    const isNews =
      record.state === 'trial' || (record.state === 'done' && record.hash !== current.engine.topology.hash);
    if (record.state === 'trial' || !isUnderWay(record)) known = record.id;
    if (!isNews) return;
    changing = record.state === 'trial' ? join(agreed, record) : follow(record);
    await changing.finally(() => {
      changing = undefined;
    });
  }

  function join(agreed: Agreement, record: UpgradeRecord): Promise<Upgrade | undefined> {
    return takePart({
      agreement: agreed,
      record,
      logger: options.logger,
      change: async () => changeTo(await boundOf(record), record.acceptLoss),
      partitions: [...current.engine.units.keys()],
      met: current.gate.holdAt(record.id),
    });
  }

  /** The others have changed while this worker had no partition: it had no part in it. */
  async function follow(record: UpgradeRecord): Promise<void> {
    const { engine } = current;
    if (engine.units.size > 0) throw executionErrors.make('MACH3226', { topology: engine.topology.name });
    const change = changeTo(await boundOf(record), record.acceptLoss);
    change.took(await change.start(change.next, { units: [], acceptLoss: record.acceptLoss }));
    await engine.stop();
  }

  async function boundOf(record: UpgradeRecord): Promise<BoundTopology> {
    const { name: topology } = options.topology;
    if (!rebind) throw new Error('invariant broken: versions of others cannot be bound here');
    return versionOfRecord(objects, record, { rebind, topology });
  }

  /** A stage meets the mark of a change in which it has no part: of an earlier one, or of one that another worker was in before it died. */
  async function passMark({ id }: Mark, { hash, name }: BoundTopology): Promise<void> {
    const record = await agreement?.read();
    if (record?.id !== id || record.state === 'taken-back' || !agreement) return;
    const held = await agreement.takeBack(id, 'a partition was taken over on the way');
    if (held.id === id && held.state === 'done' && held.hash !== hash) {
      throw executionErrors.make('MACH3226', { topology: name });
    }
  }

  const isOver = () => current.engine.state === 'stopped' && changing === undefined;

  /** After the change that is under way, so that whoever takes or gives a partition meets one engine. */
  async function afterChange<T>(work: () => Promise<T>): Promise<T> {
    await changing?.catch(() => undefined);
    return work();
  }

  /** Who takes a partition has had no part in a change that is under way: it is taken back. */
  async function openUnit(partition: number): Promise<void> {
    opening++;
    try {
      const record = await agreement?.read();
      if (record && isUnderWay(record)) await agreement?.takeBack(record.id, `partition ${partition} was taken over`);
      await changing?.catch(() => undefined);
      await followBefore();
      if (rebind && current.engine.plan.partitions === 1) {
        await finishOldVersion({ ...options, topology: current.engine.topology, units: [partition] }, rebind);
      }
      await current.engine.openUnit(partition);
    } finally {
      opening--;
    }
  }

  /** Several partitions may be taken at once. */
  async function followBefore(): Promise<void> {
    following ??= (async () => {
      const now = await agreement?.read();
      if (now?.state !== 'done' || now.hash === current.engine.topology.hash) return;
      known = now.id;
      await follow(now);
    })().finally(() => {
      following = undefined;
    });
    await following;
  }

  /** What ends does not wait for the others. */
  async function leaveChange(): Promise<void> {
    if (!agreement || !changing) return;
    const record = await agreement.read().catch(() => undefined);
    if (record && isUnderWay(record)) await agreement.takeBack(record.id, 'a worker is leaving').catch(() => undefined);
  }

  const live: Omit<LiveEngine, keyof Engine> & Pick<Engine, 'failed' | 'startedAt' | 'openUnit'> = {
    failed,
    startedAt: current.engine.startedAt,
    openUnit,
    async upgrade(topology, { acceptLoss = [] } = {}) {
      if (agreement) return changeEverywhere(agreement, topology, acceptLoss);
      if (changing) throw executionErrors.make('MACH3224', { topology: topology.name });
      changing = changeHere(topology, acceptLoss);
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
      const { engine } = current;
      if (name !== 'drain' && name !== 'stop' && name !== 'closeUnit') return Reflect.get(engine, name);
      return async (...args: never[]) => {
        if (name !== 'closeUnit') await leaveChange();
        return afterChange(() => (current.engine[name] as (...given: never[]) => Promise<void>)(...args));
      };
    },
  });
}
