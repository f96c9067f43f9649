/**
 * Faults of the log in memory, drawn from a seed: the same seed and the same calls give the same faults. Everything that
 * a broker and a network do to appends without breaking their promises, and nothing that they do not.
 */
import { type Random, seededRandom } from '../../random.ts';

export interface FaultRates {
  /** Stored, but the acknowledgement never arrives. */
  readonly acknowledgementLost?: number;
  /** The acknowledgement comes after a delay of up to `delayMaxMs`: out of order, and maybe after the retry. */
  readonly acknowledgementLate?: number;
  /** The acknowledgement comes twice. */
  readonly acknowledgementTwice?: number;
  /** Lost on the way to the log: not stored, nobody answers. */
  readonly appendLost?: number;
  /** Refused with "nobody answers" (a leader is being elected). */
  readonly noResponders?: number;
  /** Refused because the log is full: an error to the caller. */
  readonly full?: number;
  /** A message reaches a reader after a delay of up to `delayMaxMs`. */
  readonly deliveryLate?: number;
  /** A request for a lease is lost on the way. */
  readonly leaseRequestLost?: number;
  /** The broker forgets who holds a lease (it was restarted): whoever asks first gets it, while the holder believes in its own. */
  readonly leaseForgotten?: number;
  /** Default 10,000 ms: beyond the first attempts' time-outs. */
  readonly delayMaxMs?: number;
}

export type AppendFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'append-lost' }
  | { readonly kind: 'no-responders' }
  | { readonly kind: 'full' }
  | { readonly kind: 'acknowledgement-lost' }
  | { readonly kind: 'acknowledgement-late'; readonly delayMs: number }
  | { readonly kind: 'acknowledgement-twice'; readonly delayMs: number };

export type LeaseFault = 'none' | 'request-lost' | 'forgotten';

export interface FaultPlan {
  /** The fate of one attempt to append. */
  forAppend(subject: string): AppendFault;
  /** The delay of one delivery, ms. */
  forDelivery(): number;
  /** The fate of one request for a lease. */
  forLease(name: string): LeaseFault;
  /** How often each fault has struck: a test that met none has proved nothing. */
  readonly counts: ReadonlyMap<string, number>;
  /** No more faults from here on (the quiet phase of a test). */
  stop(): void;
}

/** No faults. */
export const noFaults: FaultPlan = Object.freeze({
  forAppend: (): AppendFault => ({ kind: 'none' }),
  forDelivery: () => 0,
  forLease: (): LeaseFault => 'none',
  counts: new Map<string, number>(),
  stop() {},
});

const appendFaults = [
  ['append-lost', 'appendLost'],
  ['no-responders', 'noResponders'],
  ['full', 'full'],
  ['acknowledgement-lost', 'acknowledgementLost'],
  ['acknowledgement-late', 'acknowledgementLate'],
  ['acknowledgement-twice', 'acknowledgementTwice'],
] as const;

export function faultPlan(seed: number | string | Random, rates: FaultRates): FaultPlan {
  const random = typeof seed === 'object' ? seed : seededRandom(seed);
  const appends = random.fork('appends');
  const deliveries = random.fork('deliveries');
  const leases = random.fork('leases');
  const delayMaxMs = rates.delayMaxMs ?? 10_000;
  const counts = new Map<string, number>();
  let stopped = false;
  const count = (kind: string) => void counts.set(kind, (counts.get(kind) ?? 0) + 1);

  return {
    counts,
    stop() {
      stopped = true;
    },
    forAppend() {
      if (stopped) return { kind: 'none' };
      let left = appends.float();
      const delayMs = appends.int(0, delayMaxMs);
      for (const [kind, rate] of appendFaults) {
        left -= rates[rate] ?? 0;
        if (left >= 0) continue;
        count(kind);
        return kind === 'acknowledgement-late' || kind === 'acknowledgement-twice' ? { kind, delayMs } : { kind };
      }
      return { kind: 'none' };
    },
    forLease() {
      if (stopped) return 'none';
      const draw = leases.float();
      const lost = rates.leaseRequestLost ?? 0;
      const fault = draw < lost ? 'request-lost' : draw < lost + (rates.leaseForgotten ?? 0) ? 'forgotten' : 'none';
      if (fault !== 'none') count(`lease-${fault}`);
      return fault;
    },
    forDelivery() {
      if (stopped) return 0;
      const late = deliveries.chance(rates.deliveryLate ?? 0);
      const delayMs = deliveries.int(0, delayMaxMs);
      if (!late) return 0;
      count('delivery-late');
      return delayMs;
    },
  };
}
