/**
 * The outcome of every accepted event. Each event that a log message brings ends as exactly one of: delivered, filtered,
 * late, dropped (with a reason), dead-lettered. Where an event takes several ways, the strongest outcome counts:
 * delivered, then dead-lettered, late, dropped, filtered.
 */

export const outcome = { none: 0, filtered: 1, dropped: 2, late: 3, dead: 4, delivered: 5 } as const;

export type Outcome = (typeof outcome)[keyof typeof outcome];

/** `in` = delivered + filtered + late + dropped + dead_lettered, always. */
export interface Accounting {
  in: number;
  delivered: number;
  filtered: number;
  late: number;
  dropped: number;
  dead_lettered: number;
  dropped_by_reason: Record<string, number>;
}

export function emptyAccounting(): Accounting {
  return { in: 0, delivered: 0, filtered: 0, late: 0, dropped: 0, dead_lettered: 0, dropped_by_reason: {} };
}

export function isBalanced(accounting: Accounting): boolean {
  const { in: accepted, delivered, filtered, late, dropped, dead_lettered: dead } = accounting;
  return accepted === delivered + filtered + late + dropped + dead;
}

/** What is left of an event that no edge took further. */
export const unconsumed = 'unconsumed';

export class Ledger {
  /** Index of the source event that is being handled (see `Batch.causes`). */
  private outcomes = new Uint8Array(1024);
  private readonly reasons = new Map<number, string>();
  private size = 0;
  accounting: Accounting = emptyAccounting();

  /** A log message with `events` accepted events and `dead` dead letters of the decoder begins. */
  open(events: number, dead: number): void {
    if (events > this.outcomes.length) this.outcomes = new Uint8Array(events * 2);
    else this.outcomes.fill(0, 0, events);
    this.size = events;
    this.reasons.clear();
    this.accounting.in += events + dead;
    this.accounting.dead_lettered += dead;
  }

  /** Events produced by time alone (cause -1) have no outcome of their own. */
  settle(cause: number, result: Outcome, reason?: string): void {
    if (cause < 0) return;
    const before = this.outcomes[cause] ?? outcome.none;
    if (result <= before) return;
    this.outcomes[cause] = result;
    if (result === outcome.dropped && reason) this.reasons.set(cause, reason);
  }

  isSettled(cause: number): boolean {
    return cause < 0 || (this.outcomes[cause] ?? outcome.none) !== outcome.none;
  }

  /** The message has been handled: every event gets its outcome. */
  close(): void {
    const { accounting } = this;
    for (let cause = 0; cause < this.size; cause++) {
      switch (this.outcomes[cause]) {
        case outcome.delivered:
          accounting.delivered++;
          break;
        case outcome.dead:
          accounting.dead_lettered++;
          break;
        case outcome.late:
          accounting.late++;
          break;
        case outcome.filtered:
          accounting.filtered++;
          break;
        case outcome.dropped:
          this.countDropped(this.reasons.get(cause) ?? unconsumed);
          break;
        default:
          this.countDropped(unconsumed);
      }
    }
    this.size = 0;
  }

  private countDropped(reason: string): void {
    this.accounting.dropped++;
    this.accounting.dropped_by_reason[reason] = (this.accounting.dropped_by_reason[reason] ?? 0) + 1;
  }
}
