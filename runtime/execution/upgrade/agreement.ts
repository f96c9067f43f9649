/**
 * What the workers of a topology agree on when it is changed while they run, as one record in the log that is replaced by conditional
 * appends alone: so there is one outcome, whoever dies. Beside it each partition's holder says how far it has come.
 *
 * `trial`: everybody tries the new version. `closing`: sources that change are closed. Then one message of the input log is the mark
 * (`appendMark`): all partitions end the old version exactly there. When the new one stands there everywhere, `done` lets it
 * begin; until then `taken-back` lets the old one go on, and whoever meets a problem may write it.
 */
import type { Log } from '../../bus/log.ts';
import type { Clock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import { topologyNames } from '../../topology/names.ts';
import { isFenced } from '../fenced.ts';
import { firstStage, inputPartition, promiseSpec } from '../streams.ts';

export type UpgradeState = 'trial' | 'closing' | 'done' | 'taken-back';

export interface UpgradeRecord {
  /** Of the change. */
  readonly id: string;
  readonly state: UpgradeState;
  /** Hash of the new version, and of the one before. */
  readonly hash: string;
  readonly before: string;
  readonly acceptLoss: readonly string[];
  /** Why it was taken back. */
  readonly reason?: string;
}

/** How far the holder of a partition has come with a change. */
export type UpgradeStep = 'tried' | 'closed' | 'ready';

const steps: readonly UpgradeStep[] = ['tried', 'closed', 'ready'];

interface Vote {
  readonly id: string;
  readonly step: UpgradeStep;
}

export interface Agreement {
  read(): Promise<UpgradeRecord | undefined>;
  /** Puts a record in the place of one that was read (undefined: of none). Undefined when another was faster. */
  replace(before: UpgradeRecord | undefined, record: UpgradeRecord): Promise<UpgradeRecord | undefined>;
  vote(partition: number, vote: Vote): Promise<void>;
  /** Whether every partition has come so far with this change. */
  hasCome(partitions: number, vote: Vote): Promise<boolean>;
  /** The change is over: the old version goes on, unless it is done already. Resolves with what holds. */
  takeBack(id: string, reason: string): Promise<UpgradeRecord>;
  /**
   * The record once it has changed from these states; whoever waits longer than `limits.upgradeWaitMs` takes the change back: the one that
   * had begun it is gone.
   */
  after(id: string, states: readonly UpgradeState[]): Promise<UpgradeRecord>;
}

export const isUnderWay = ({ state }: UpgradeRecord): boolean => state === 'trial' || state === 'closing';

/** Hash of the version that runs, as the record has it. */
export const versionOf = (record: UpgradeRecord): string => (record.state === 'done' ? record.hash : record.before);

export async function openAgreement(log: Log, topology: string, clock: Clock): Promise<Agreement> {
  const names = topologyNames(topology);
  const stream = await log.stream(promiseSpec(names, { name: topology }));
  const subject = names.sinkSubject('_upgrade', firstStage, inputPartition);
  const votesOf = (partition: number) => names.sinkSubject('_upgrade-votes', firstStage, partition);
  const sequences = new WeakMap<UpgradeRecord, number>();

  async function read(): Promise<UpgradeRecord | undefined> {
    const message = await stream.last(subject);
    if (!message) return undefined;
    const record = JSON.parse(Buffer.from(message.payload).toString()) as UpgradeRecord;
    sequences.set(record, message.sequence);
    return record;
  }

  async function replace(before: UpgradeRecord | undefined, record: UpgradeRecord): Promise<UpgradeRecord | undefined> {
    const expectedLastSubjectSequence = before ? (sequences.get(before) as number) : 0;
    try {
      const { sequence } = await stream.append(subject, Buffer.from(JSON.stringify(record)), {
        expectedLastSubjectSequence,
      });
      sequences.set(record, sequence);
      return record;
    } catch (error) {
      if (isFenced(error)) return undefined;
      throw error;
    }
  }

  async function takeBack(id: string, reason: string): Promise<UpgradeRecord> {
    for (;;) {
      const record = await read();
      if (!record) throw new Error('invariant broken: a change that is under way has no record');
      if (record.id !== id || !isUnderWay(record)) return record;
      const taken = await replace(record, { ...record, state: 'taken-back', reason });
      if (taken) return taken;
    }
  }

  return {
    read,
    replace,
    takeBack,
    async vote(partition, vote) {
      await stream.append(votesOf(partition), Buffer.from(JSON.stringify(vote)));
    },
    async hasCome(partitions, { id, step }) {
      for (let partition = 0; partition < partitions; partition++) {
        const message = await stream.last(votesOf(partition));
        const vote = message && (JSON.parse(Buffer.from(message.payload).toString()) as Vote);
        if (!vote || vote.id !== id || steps.indexOf(vote.step) < steps.indexOf(step)) return false;
      }
      return true;
    },
    async after(id, states) {
      const deadline = clock.now() + limits.upgradeWaitMs;
      for (;;) {
        const record = await read().catch(() => undefined);
        if (record && (record.id !== id || !states.includes(record.state))) return record;
        if (record && clock.now() > deadline) {
          return takeBack(id, `nobody went on with it for ${limits.upgradeWaitMs} ms (limit upgradeWaitMs)`);
        }
        await clock.sleep(limits.upgradePollEveryMs);
      }
    },
  };
}
