/** Faults of the log that begin and end at times of the schedule. */
import type { AppendFault, FaultPlan, LeaseFault } from '../../../runtime/bus/memory/faults.ts';
import type { Random } from '../../../runtime/random.ts';

export type LogFault =
  | 'acknowledgement-lost'
  | 'acknowledgement-late'
  | 'acknowledgement-twice'
  | 'append-lost'
  | 'no-responders'
  | 'full'
  | 'delivery-late';

interface Active {
  readonly fault: LogFault;
  readonly rate: number;
  readonly delayMaxMs: number;
  readonly random: Random;
}

export interface ActiveFaults extends FaultPlan {
  /** Returns what ends it. */
  begin(active: Active): () => void;
}

export function activeFaults(): ActiveFaults {
  const active = new Set<Active>();
  const counts = new Map<string, number>();
  const count = (fault: LogFault) => void counts.set(fault, (counts.get(fault) ?? 0) + 1);

  return {
    counts,
    begin(one) {
      active.add(one);
      return () => void active.delete(one);
    },
    stop: () => active.clear(),
    forAppend(): AppendFault {
      for (const { fault, rate, delayMaxMs, random } of active) {
        if (fault === 'delivery-late') continue;
        const strikes = random.chance(rate);
        const delayMs = random.int(0, delayMaxMs);
        if (!strikes) continue;
        count(fault);
        if (fault === 'acknowledgement-late' || fault === 'acknowledgement-twice') return { kind: fault, delayMs };
        return { kind: fault };
      }
      return { kind: 'none' };
    },
    forLease: (): LeaseFault => 'none',
    forDelivery() {
      for (const { fault, rate, delayMaxMs, random } of active) {
        if (fault !== 'delivery-late' || !random.chance(rate)) continue;
        count(fault);
        return random.int(0, delayMaxMs);
      }
      return 0;
    },
  };
}
