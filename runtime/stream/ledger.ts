/**
 * The outcome of every accepted event. Each event that a log message brings ends as exactly one of: delivered, filtered,
 * late, dropped (with a reason), dead-lettered. Where an event takes several ways, the strongest outcome counts:
 * delivered, then dead-lettered, late, dropped, filtered. An event that other partitions handle is `elsewhere`: it counts there alone.
 */

export const outcome = { none: 0, elsewhere: 1, filtered: 2, dropped: 3, late: 4, dead: 5, delivered: 6 } as const;

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
  /** Dead letters that went in again. What they give is in `in` and among the outcomes once more. */
  redriven: number;
}

export function emptyAccounting(): Accounting {
  return {
    in: 0,
    delivered: 0,
    filtered: 0,
    late: 0,
    dropped: 0,
    dead_lettered: 0,
    dropped_by_reason: {},
    redriven: 0,
  };
}

export function isBalanced(accounting: Accounting): boolean {
  const { in: accepted, delivered, filtered, late, dropped, dead_lettered: dead } = accounting;
  return accepted === delivered + filtered + late + dropped + dead;
}

/** What became of the events that were handled between two looks at the account, those alone that are not 0. */
export function outcomesSince(before: Accounting, now: Accounting): Record<string, number> {
  const outcomes = ['delivered', 'filtered', 'late', 'dropped', 'dead_lettered'] as const;
  const counts = outcomes.map((name) => [name, now[name] - before[name]] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** What is left of an event that no edge took further. */
export const unconsumed = 'unconsumed';

/** Where the outcome of an event is told. */
export interface Outcomes {
  settle(cause: number, result: Outcome, reason?: string): void;
}

export class Ledger implements Outcomes {
  /** Index of the source event that is being handled (see `Batch.causes`). */
  private outcomes = new Uint8Array(1024);
  private readonly reasons = new Map<number, string>();
  private size = 0;
  accounting: Accounting = emptyAccounting();
  private readonly isFirst: boolean;

  /** `isFirst`: of the partitions that see an event which none of them handles, this one counts it. */
  constructor({ isFirst = true }: { isFirst?: boolean } = {}) {
    this.isFirst = isFirst;
  }

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

  /** For nodes that do the same in every partition and count in the first alone. */
  get shadow(): Outcomes {
    return { settle: (cause) => this.settle(cause, outcome.elsewhere) };
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
        case outcome.elsewhere:
          accounting.in--;
          break;
        case outcome.dropped:
          this.countDropped(this.reasons.get(cause) ?? unconsumed);
          break;
        default:
          if (this.isFirst) this.countDropped(unconsumed);
          else accounting.in--;
      }
    }
    this.size = 0;
  }

  private countDropped(reason: string): void {
    this.accounting.dropped++;
    this.accounting.dropped_by_reason[reason] = (this.accounting.dropped_by_reason[reason] ?? 0) + 1;
  }
}
