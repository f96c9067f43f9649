/** Patterns in the prices of each bidder on each auction, bids in order of time, then of the stream. */
import type { PeerQuery } from '../stream.ts';
import { pairKey } from './pair-key.ts';
import { TimeOrder } from './time.ts';

const averageMax = 10_000;
const dropMin = 50;
const withinMs = 5_000;

interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly date_time: number;
}

type Match = (auction: number, bidder: number, ...values: number[]) => void;

/** What is kept of one bidder on one auction. */
interface Matcher {
  bid(bid: Bid): void;
  end(): void;
}

/** Prices that fall at least once and then rise at least once, as far as they do. */
class FallAndRise implements Matcher {
  private last: Bid | undefined;
  private begin: Bid | undefined;
  private lowest: Bid | undefined;
  private readonly match: Match;

  constructor(match: Match) {
    this.match = match;
  }

  bid(bid: Bid): void {
    const { last } = this;
    this.last = bid;
    if (!last) return;
    if (bid.price > last.price) {
      if (this.begin && !this.lowest) this.lowest = last;
      return;
    }
    if (this.lowest) this.give(last);
    if (bid.price === last.price) this.begin = undefined;
    else if (!this.begin) this.begin = last;
  }

  end(): void {
    if (this.lowest && this.last) this.give(this.last);
  }

  private give(last: Bid): void {
    const { begin, lowest } = this;
    if (begin && lowest)
      this.match(last.auction, last.bidder, begin.date_time, lowest.price, last.date_time, last.price);
    this.begin = undefined;
    this.lowest = undefined;
  }
}

/** Bids whose average stays low, until one breaks it; the next such run begins after it. */
class LowAverage implements Matcher {
  private run: Bid[] = [];
  private total = 0;
  private readonly match: Match;

  constructor(match: Match) {
    this.match = match;
  }

  bid(bid: Bid): void {
    const { run } = this;
    if ((this.total + bid.price) / (run.length + 1) < averageMax) {
      run.push(bid);
      this.total += bid.price;
      return;
    }
    const first = run[0];
    const last = run[run.length - 1];
    if (!first || !last) return;
    this.match(bid.auction, bid.bidder, first.date_time, last.date_time, Math.floor(this.total / run.length));
    this.run = [];
    this.total = 0;
  }

  /** A run that nothing has broken is none, but others may lie in it, which begin later. */
  end(): void {
    while (this.run.length > 0) {
      const rest = this.run.slice(1);
      this.run = [];
      this.total = 0;
      for (const bid of rest) this.bid(bid);
    }
  }
}

/** As {@link LowAverage}, from every bid at which a run can begin. */
class LowAverages implements Matcher {
  private runs: { readonly first: number; last: number; total: number; count: number }[] = [];
  private readonly match: Match;

  constructor(match: Match) {
    this.match = match;
  }

  bid({ auction, bidder, price, date_time }: Bid): void {
    if (this.runs.length > 0) {
      this.runs = this.runs.filter((run) => {
        const { first, last, total, count } = run;
        if ((total + price) / (count + 1) >= averageMax) {
          this.match(auction, bidder, first, last, Math.floor(total / count));
          return false;
        }
        run.total += price;
        run.count++;
        run.last = date_time;
        return true;
      });
    }
    if (price < averageMax) this.runs.push({ first: date_time, last: date_time, total: price, count: 1 });
  }

  end(): void {}
}

/** A bid, and within five seconds the first that lies more than 50 below it; the next search begins after that. */
class Drop implements Matcher {
  /** From the bid at which a match may begin. */
  private bids: Bid[] = [];
  /** So many of them have been held against the first. */
  private seen = 1;
  private readonly match: Match;

  constructor(match: Match) {
    this.match = match;
  }

  bid(bid: Bid): void {
    this.bids.push(bid);
    this.search(bid.date_time);
  }

  end(): void {
    this.search(Number.POSITIVE_INFINITY);
  }

  private search(now: number): void {
    let begin = 0;
    for (let first = this.bids[begin]; first; first = this.bids[begin]) {
      const end = this.dropFrom(first, begin);
      const drop = this.bids[end];
      if (drop && drop.date_time - first.date_time <= withinMs) {
        const { auction, bidder, date_time, price } = drop;
        this.match(auction, bidder, first.date_time, date_time, first.price, price);
        begin = end + 1;
      } else if (drop || now - first.date_time > withinMs) begin++;
      else break;
      this.seen = 1;
    }
    if (begin > 0) this.bids = this.bids.slice(begin);
  }

  private dropFrom({ price }: Bid, begin: number): number {
    const floor = price - dropMin;
    let at = begin + this.seen;
    while (at < this.bids.length && (this.bids[at] as Bid).price >= floor) at++;
    this.seen = at - begin;
    return at;
  }
}

function patternQuery(make: (match: Match) => Matcher): PeerQuery {
  return {
    fields: ['kind', 'auction', 'bidder', 'price', 'date_time'],
    open(emit) {
      const matchers = new Map<number, Matcher>();
      const match: Match = (...row) => emit(row);
      const order = new TimeOrder<Bid>((bid) => {
        const key = pairKey(bid.auction, bid.bidder);
        let matcher = matchers.get(key);
        if (!matcher) {
          matcher = make(match);
          matchers.set(key, matcher);
        }
        matcher.bid(bid);
      });
      return {
        event(event) {
          if (event.kind === 'bid') order.add(event as typeof event & Bid);
        },
        end() {
          order.end();
          for (const matcher of matchers.values()) matcher.end();
        },
      };
    },
  };
}

export const patternQueries: Readonly<Record<string, PeerQuery>> = {
  p0: patternQuery((match) => new FallAndRise(match)),
  p1: patternQuery((match) => new LowAverage(match)),
  p2: patternQuery((match) => new LowAverages(match)),
  p3: patternQuery((match) => new Drop(match)),
};
