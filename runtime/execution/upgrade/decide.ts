/** Leads the workers of a topology through a change. Whoever does it need not be one of them; when it dies, the change is taken back. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { CrashPoints } from '../../faults.ts';
import { limits } from '../../limits.ts';
import { executionErrors } from '../errors.ts';
import { type Agreement, isUnderWay, type UpgradeRecord, type UpgradeStep } from './agreement.ts';

export interface Decision {
  readonly agreement: Agreement;
  readonly topology: string;
  readonly partitions: number;
  /** Hash of the version that runs, and of the new one, whose text is kept beside the checkpoints already. */
  readonly before: string;
  readonly hash: string;
  readonly acceptLoss: readonly string[];
  readonly clock: Clock;
  readonly crashPoints: CrashPoints;
  appendMark(id: string): Promise<unknown>;
}

/**
 * Resolves when every partition may begin with the new version, with the time from the mark until then, ms. Rejects with MACH3224
 * (another is under way) or MACH3225 (taken back).
 */
export async function decideUpgrade(decision: Decision): Promise<number> {
  const { agreement, topology, hash, before, acceptLoss, crashPoints } = decision;
  const found = await agreement.read();
  const id = randomUUID();
  const begun =
    found && isUnderWay(found)
      ? undefined
      : await agreement.replace(found, { id, state: 'trial', hash, before, acceptLoss });
  if (!begun) throw executionErrors.make('MACH3224', { topology });
  crashPoints.at('upgrade.after-proposal');
  await untilCome(decision, id, 'tried');
  await goOn(decision, begun, 'closing');
  await untilCome(decision, id, 'closed');
  const markedAt = decision.clock.now();
  await decision.appendMark(id);
  crashPoints.at('upgrade.after-mark');
  await untilCome(decision, id, 'ready');
  crashPoints.at('upgrade.before-decision');
  await goOn(decision, begun, 'done');
  crashPoints.at('upgrade.after-decision');
  return decision.clock.now() - markedAt;
}

async function goOn(decision: Decision, begun: UpgradeRecord, state: 'closing' | 'done'): Promise<void> {
  const record = await decision.agreement.read();
  refuseTakenBack(decision, record, begun.id);
  if (await decision.agreement.replace(record, { ...begun, state })) return;
  refuseTakenBack(decision, await decision.agreement.read(), begun.id);
  throw new Error('invariant broken: a change that nobody has taken back has another record');
}

function refuseTakenBack({ topology }: Decision, record: UpgradeRecord | undefined, id: string): void {
  if (record?.id === id && isUnderWay(record)) return;
  const reason = record?.id === id ? record.reason : 'another change has begun';
  throw executionErrors.make('MACH3225', { topology, reason });
}

async function untilCome(decision: Decision, id: string, step: UpgradeStep): Promise<void> {
  const { agreement, partitions, clock } = decision;
  const deadline = clock.now() + limits.upgradeStepMs;
  while (!(await agreement.hasCome(partitions, { id, step }))) {
    refuseTakenBack(decision, await agreement.read(), id);
    if (clock.now() > deadline) {
      const reason = `not every partition has ${step} within ${limits.upgradeStepMs} ms (limit upgradeStepMs)`;
      refuseTakenBack(decision, await agreement.takeBack(id, reason), id);
    }
    await clock.sleep(limits.upgradePollEveryMs);
  }
}
