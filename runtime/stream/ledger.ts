/**
 * The outcome of every accepted event. Each event that a log message brings ends as exactly one of: delivered, filtered,
 * late, dropped (with a reason), dead-lettered. Where an event takes several ways, the strongest outcome counts:
 * delivered, then dead-lettered, late, dropped, filtered. Where several parts of a topology handle it, each tells what it knows, and
 * one keeps the accounts (see `exchange/accounts.ts`).
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

export function mergeAccounting(all: readonly Accounting[]): Accounting {
  const merged = emptyAccounting();
  for (const { dropped_by_reason: reasons, ...counts } of all) {
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) merged[name] += counts[name];
    for (const [reason, count] of Object.entries(reasons)) {
      merged.dropped_by_reason[reason] = (merged.dropped_by_reason[reason] ?? 0) + count;
    }
  }
  return merged;
}

export function isBalanced(accounting: Accounting): boolean {
  const { in: accepted, delivered, filtered, late, dropped, dead_lettered: dead } = accounting;
  return accepted === delivered + filtered + late + dropped + dead;
}

/** What became of the events of one source message, as far as somebody knows. */
export interface Settled {
  /** By the index of the event in the message; `outcome.none` where nothing is known of it. */
  readonly outcomes: ArrayLike<number>;
  /** Why those that were dropped were dropped, by their index. */
  readonly reasons: ReadonlyMap<number, string>;
  /** Dead letters of the decoder. */
  readonly dead: number;
  /** Dead letters that went in again. */
  readonly redriven: number;
}

/** How often each outcome came, those alone that did. */
export function outcomesOf({ outcomes, dead }: Settled): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (name: string, by: number) => {
    if (by > 0) counts[name] = (counts[name] ?? 0) + by;
  };
  const times = new Uint32Array(outcome.delivered + 1);
  for (let cause = 0; cause < outcomes.length; cause++) (times[outcomes[cause] as number] as number)++;
  for (let result = 0; result < times.length; result++) count(nameOf(result), times[result] as number);
  count('dead_lettered', dead);
  return counts;
}

function nameOf(result: number | undefined): 'delivered' | 'dead_lettered' | 'late' | 'filtered' | 'dropped' {
  switch (result) {
    case outcome.delivered:
      return 'delivered';
    case outcome.dead:
      return 'dead_lettered';
    case outcome.late:
      return 'late';
    case outcome.filtered:
      return 'filtered';
    default:
      return 'dropped';
  }
}

/** What several know of one source message, together: of each event the strongest outcome. */
export function together(parts: readonly Settled[]): Settled {
  const outcomes = new Uint8Array(Math.max(0, ...parts.map((part) => part.outcomes.length)));
  const reasons = new Map<number, string>();
  for (const part of parts) {
    for (let cause = 0; cause < part.outcomes.length; cause++) {
      const result = part.outcomes[cause] as number;
      if (result > (outcomes[cause] as number)) outcomes[cause] = result;
    }
    for (const [cause, reason] of part.reasons)
      if (part.outcomes[cause] === outcome.dropped) reasons.set(cause, firstOf(reasons.get(cause), reason));
  }
  const sum = (of: (part: Settled) => number) => parts.reduce((total, part) => total + of(part), 0);
  return { outcomes, reasons, dead: sum(({ dead }) => dead), redriven: sum(({ redriven }) => redriven) };
}

/** Of several reasons the first in the alphabet counts, so that it does not hang on who tells first. */
function firstOf(one: string | undefined, other: string): string {
  return one === undefined || other < one ? other : one;
}

/** Enters what became of the events of a source message. What nothing is known of was taken further by no edge. */
export function enter(accounting: Accounting, settled: Settled): void {
  const { outcomes, reasons, dead, redriven } = settled;
  accounting.in += outcomes.length + dead;
  accounting.redriven += redriven;
  const counts = outcomesOf(settled);
  for (const [name, count] of Object.entries(counts)) accounting[name as ReturnType<typeof nameOf>] += count;
  if (counts.dropped === undefined) return;
  const { dropped_by_reason: byReason } = accounting;
  for (let cause = 0; cause < outcomes.length; cause++) {
    const result = outcomes[cause] ?? outcome.none;
    if (result !== outcome.dropped && result !== outcome.none) continue;
    const reason = (result === outcome.dropped && reasons.get(cause)) || unconsumed;
    byReason[reason] = (byReason[reason] ?? 0) + 1;
  }
}

/** What is left of an event that no edge took further. */
export const unconsumed = 'unconsumed';

/** Where the outcome of an event is told. */
export interface Outcomes {
  settle(cause: number, result: Outcome, reason?: string): void;
  /** The same for many, none of which was dropped; those in a range of them. */
  settleAll(causes: readonly number[], result: Undropped, range?: Range): void;
  /** The same for those causes whose places are in a range of `rows`. */
  settleRows(causes: readonly number[], rows: ArrayLike<number>, range: Range, result: Undropped): void;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

type Undropped = Exclude<Outcome, typeof outcome.dropped>;

/** For nodes that do the same in every partition: the first alone tells. */
export const untold: Outcomes = { settle() {}, settleAll() {}, settleRows() {} };

export class Ledger implements Outcomes {
  /** Index of the source event that is being handled (see `Batch.causes`). */
  private outcomes = new Uint8Array(1024);
  private reasons = new Map<number, string>();
  private size = 0;
  private dead = 0;
  accounting: Accounting = emptyAccounting();
  private readonly tell: ((settled: Settled) => void) | undefined;

  /** `tell`: somebody else keeps the accounts. */
  constructor({ tell }: { tell?: (settled: Settled) => void } = {}) {
    this.tell = tell;
  }

  /** A log message with `events` accepted events and `dead` dead letters of the decoder begins. */
  open(events: number, dead: number): void {
    if (events > this.outcomes.length) this.outcomes = new Uint8Array(events * 2);
    else this.outcomes.fill(0, 0, events);
    this.size = events;
    this.dead = dead;
    if (this.reasons.size > 0) this.reasons = new Map();
  }

  /** Events produced by time alone (cause -1) have no outcome of their own. */
  settle(cause: number, result: Outcome, reason?: string): void {
    if (cause < 0) return;
    const before = this.outcomes[cause] ?? outcome.none;
    if (result < before) return;
    this.outcomes[cause] = result;
    if (result === outcome.dropped && reason) this.reasons.set(cause, firstOf(this.reasons.get(cause), reason));
  }

  settleAll(causes: readonly number[], result: Undropped, { from, to } = { from: 0, to: causes.length }): void {
    const { outcomes } = this;
    for (let at = from; at < to; at++) {
      const cause = causes[at] as number;
      if (cause >= 0 && (outcomes[cause] as number) < result) outcomes[cause] = result;
    }
  }

  settleRows(causes: readonly number[], rows: ArrayLike<number>, { from, to }: Range, result: Undropped): void {
    const { outcomes } = this;
    for (let at = from; at < to; at++) {
      const cause = causes[rows[at] as number] as number;
      if (cause >= 0 && (outcomes[cause] as number) < result) outcomes[cause] = result;
    }
  }

  isSettled(cause: number): boolean {
    return cause < 0 || (this.outcomes[cause] ?? outcome.none) !== outcome.none;
  }

  /** A dead letter went in again. */
  countRedriven(): void {
    this.account({ outcomes: [], reasons: new Map(), dead: 0, redriven: 1 });
  }

  /** The message has been handled: every event gets its outcome. */
  close(): Settled {
    const settled = {
      outcomes: this.outcomes.subarray(0, this.size),
      reasons: this.reasons,
      dead: this.dead,
      redriven: 0,
    };
    this.size = 0;
    this.dead = 0;
    if (settled.outcomes.length > 0 || settled.dead > 0) this.account(settled);
    return settled;
  }

  /** What several have told of one source message. */
  account(settled: Settled): void {
    if (this.tell) this.tell(settled);
    else enter(this.accounting, settled);
  }
}
