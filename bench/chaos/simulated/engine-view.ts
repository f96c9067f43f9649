/** What the judge reads off an engine, over all of its partitions and stages. */
import type { Engine } from '../../../runtime/execution/engine.ts';
import type { StageRunner } from '../../../runtime/execution/stage-runner.ts';
import { type Accounting, emptyAccounting } from '../../../runtime/stream/ledger.ts';

export function stagesOf(...engines: readonly Engine[]): readonly StageRunner[] {
  return engines
    .flatMap(({ units }) => [...units.values()])
    .flatMap(({ stages, accounts }) => (accounts ? [...stages, accounts] : [...stages]));
}

export function accountingOf(engines: readonly Engine[]): Accounting {
  const total = emptyAccounting();
  for (const { machine } of stagesOf(...engines)) {
    const { dropped_by_reason: reasons, ...counts } = machine.accounting;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) total[name] += counts[name];
    for (const [reason, count] of Object.entries(reasons)) {
      total.dropped_by_reason[reason] = (total.dropped_by_reason[reason] ?? 0) + count;
    }
  }
  return total;
}

/** Questions of look-ups that wait for their answers. */
export function waitingAnswers(engines: readonly Engine[], node: string): number {
  return stagesOf(...engines).reduce((sum, { machine }) => sum + (machine.runner(node)?.stateKeys ?? 0), 0);
}
