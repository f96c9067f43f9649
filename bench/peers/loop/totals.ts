/** Queries that keep totals, last values or the highest by key, and give them out in the end. */
import type { NexmarkEvent } from '../../../connectors/nexmark/schema.ts';
import type { PeerQuery } from '../stream.ts';
import { foundOrMade } from './found-or-made.ts';
import { pairKey } from './pair-key.ts';
import { dayOf, minuteOf } from './time.ts';

const rank2From = 10_000;
const rank3From = 1_000_000;
const highestKept = 10;

/** 0, 1 or 2. */
function rankOf(price: number): 0 | 1 | 2 {
  if (price < rank2From) return 0;
  return price < rank3From ? 1 : 2;
}

class Distinct {
  private readonly bids: [number, number, number, number] = [0, 0, 0, 0];
  private readonly bidders = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()] as const;
  private readonly auctions = [new Set<number>(), new Set<number>(), new Set<number>(), new Set<number>()] as const;

  add(auction: number, bidder: number, price: number): void {
    const rank = (rankOf(price) + 1) as 1 | 2 | 3;
    this.bids[0]++;
    this.bids[rank]++;
    this.bidders[0].add(bidder);
    this.bidders[rank].add(bidder);
    this.auctions[0].add(auction);
    this.auctions[rank].add(auction);
  }

  cells(): number[] {
    const sizes = (sets: readonly ReadonlySet<number>[]) => sets.map(({ size }) => size);
    return [...this.bids, ...sizes(this.bidders), ...sizes(this.auctions)];
  }
}

const makeDistinct = () => new Distinct();

const byDay: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'date_time'],
  open(emit) {
    const days = new Map<string, Distinct>();
    return {
      event({ kind, auction, bidder, price, date_time }) {
        if (kind !== 'bid') return;
        const totals = foundOrMade(days, dayOf(date_time), makeDistinct);
        totals.add(auction as number, bidder as number, price as number);
      },
      end() {
        for (const [day, totals] of days) emit([day, ...totals.cells()]);
      },
    };
  },
};

const byChannelAndDay: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'channel', 'date_time'],
  open(emit) {
    const channels = new Map<string, Map<string, { totals: Distinct; last: number }>>();
    return {
      event({ kind, auction, bidder, price, channel, date_time }) {
        if (kind !== 'bid') return;
        const days = foundOrMade(
          channels,
          channel as string,
          () => new Map<string, { totals: Distinct; last: number }>(),
        );
        const found = foundOrMade(days, dayOf(date_time), () => ({ totals: new Distinct(), last: 0 }));
        if (date_time > found.last) found.last = date_time;
        found.totals.add(auction as number, bidder as number, price as number);
      },
      end() {
        for (const [channel, days] of channels)
          for (const [day, { totals, last }] of days) emit([channel, day, minuteOf(last), ...totals.cells()]);
      },
    };
  },
};

interface AuctionTotals {
  readonly bids: [number, number, number];
  least: number;
  most: number;
  sum: number;
}

const byAuctionAndDay: PeerQuery = {
  fields: ['kind', 'auction', 'price', 'date_time'],
  open(emit) {
    const days = new Map<string, Map<number, AuctionTotals>>();
    return {
      event({ kind, auction, price, date_time }) {
        if (kind !== 'bid') return;
        const auctions = foundOrMade(days, dayOf(date_time), () => new Map<number, AuctionTotals>());
        let totals = auctions.get(auction as number);
        if (!totals) {
          totals = { bids: [0, 0, 0], least: price as number, most: price as number, sum: 0 };
          auctions.set(auction as number, totals);
        }
        totals.bids[rankOf(price as number)]++;
        if ((price as number) < totals.least) totals.least = price as number;
        if ((price as number) > totals.most) totals.most = price as number;
        totals.sum += price as number;
      },
      end() {
        for (const [day, auctions] of days) {
          for (const [auction, { bids, least, most, sum }] of auctions) {
            const count = bids[0] + bids[1] + bids[2];
            emit([auction, day, count, ...bids, least, most, Math.floor(sum / count), sum]);
          }
        }
      },
    };
  },
};

const lastBids: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'channel', 'url', 'date_time', 'extra'],
  open(emit) {
    const last = new Map<number, NexmarkEvent>();
    return {
      event(bid) {
        if (bid.kind !== 'bid') return;
        const key = pairKey(bid.auction as number, bid.bidder as number);
        const known = last.get(key);
        if (!known || bid.date_time >= known.date_time) last.set(key, bid);
      },
      end() {
        for (const { auction, bidder, price, channel, url, date_time, extra } of last.values())
          emit([auction, bidder, price, channel, url, date_time, extra]);
      },
    };
  },
};

const highestByAuction: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'channel', 'url', 'date_time', 'extra'],
  open(emit) {
    const auctions = new Map<number, NexmarkEvent[]>();
    return {
      event(bid) {
        if (bid.kind !== 'bid') return;
        const best = auctions.get(bid.auction as number);
        if (!best) {
          auctions.set(bid.auction as number, [bid]);
          return;
        }
        const price = bid.price as number;
        if (best.length === highestKept && price <= (best[highestKept - 1]?.price as number)) return;
        let at = best.length;
        while (at > 0 && (best[at - 1]?.price as number) < price) at--;
        best.splice(at, 0, bid);
        if (best.length > highestKept) best.pop();
      },
      end() {
        for (const best of auctions.values())
          best.forEach(({ auction, bidder, price, channel, url, date_time, extra }, index) =>
            emit([auction, bidder, price, channel, url, date_time, extra, index + 1]),
          );
      },
    };
  },
};

export const totalQueries: Readonly<Record<string, PeerQuery>> = {
  q15: byDay,
  q16: byChannelAndDay,
  q17: byAuctionAndDay,
  q18: lastBids,
  q19: highestByAuction,
};
