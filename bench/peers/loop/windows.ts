/** Queries over windows of event time, and sessions. */
import type { NexmarkEvent } from '../../../connectors/nexmark/schema.ts';
import type { PeerQuery } from '../stream.ts';
import { foundOrMade } from './found-or-made.ts';
import { Progress, second } from './time.ts';

const windowMs = 10 * second;
const slideMs = 2 * second;
const gapMs = 10 * second;

const hotAuctions: PeerQuery = {
  fields: ['kind', 'auction', 'date_time'],
  open(emit) {
    /** Bids of each auction in each stretch of two seconds. */
    const panes = new Map<number, Map<number, number>>();
    let nextStart = Number.POSITIVE_INFINITY;
    const close = (start: number) => {
      const counts = new Map<number, number>();
      for (let pane = start; pane < start + windowMs; pane += slideMs)
        for (const [auction, count] of panes.get(pane) ?? []) counts.set(auction, (counts.get(auction) ?? 0) + count);
      panes.delete(start);
      let most = 0;
      for (const count of counts.values()) most = Math.max(most, count);
      for (const [auction, count] of counts) if (count === most) emit([start, auction, count]);
    };
    const progress = new Progress((completeTo) => {
      for (; panes.size > 0 && nextStart + windowMs <= completeTo; nextStart += slideMs) close(nextStart);
      if (panes.size === 0) nextStart = Number.POSITIVE_INFINITY;
    });
    return {
      event({ kind, auction, date_time }) {
        if (kind !== 'bid') return;
        const pane = date_time - (date_time % slideMs);
        let counts = panes.get(pane);
        if (!counts) {
          counts = new Map();
          panes.set(pane, counts);
          nextStart = Math.min(nextStart, pane - windowMs + slideMs);
        }
        counts.set(auction as number, (counts.get(auction as number) ?? 0) + 1);
        progress.see(date_time);
      },
      end: () => progress.end(),
    };
  },
};

interface HighestBids {
  highest: number;
  /** Those of the highest price so far. */
  bids: NexmarkEvent[];
  /** Of the moment at which the window ends: they count, but do not make the highest. */
  onEnd: NexmarkEvent[];
}

const highestBids: PeerQuery = {
  fields: ['kind', 'auction', 'bidder', 'price', 'date_time', 'extra'],
  open(emit) {
    const windows = new Map<number, HighestBids>();
    const windowAt = (start: number) => foundOrMade(windows, start, () => ({ highest: 0, bids: [], onEnd: [] }));
    const progress = new Progress((completeTo) => {
      for (const [start, { highest, bids, onEnd }] of windows) {
        if (start + windowMs >= completeTo) continue;
        windows.delete(start);
        for (const bid of bids) emit([bid.auction, bid.price, bid.bidder, bid.date_time, bid.extra]);
        for (const bid of onEnd)
          if (bid.price === highest) emit([bid.auction, bid.price, bid.bidder, bid.date_time, bid.extra]);
      }
    });
    return {
      event(bid) {
        if (bid.kind !== 'bid') return;
        const price = bid.price as number;
        const start = bid.date_time - (bid.date_time % windowMs);
        const window = windowAt(start);
        if (price > window.highest) {
          window.highest = price;
          window.bids = [bid];
        } else if (price === window.highest) window.bids.push(bid);
        if (bid.date_time === start) windowAt(start - windowMs).onEnd.push(bid);
        progress.see(bid.date_time);
      },
      end: () => progress.end(),
    };
  },
};

const newSellers: PeerQuery = {
  fields: ['kind', 'date_time', 'id', 'name', 'seller'],
  open(emit) {
    const windows = new Map<number, { people: Map<number, string>; sellers: Set<number> }>();
    const progress = new Progress((completeTo) => {
      for (const [start, { people, sellers }] of windows) {
        if (start + windowMs > completeTo) continue;
        windows.delete(start);
        for (const [id, name] of people) if (sellers.has(id)) emit([id, name, start]);
      }
    });
    return {
      event({ kind, date_time, id, name, seller }) {
        if (kind === 'bid') return;
        const start = date_time - (date_time % windowMs);
        const window = foundOrMade(windows, start, () => ({
          people: new Map<number, string>(),
          sellers: new Set<number>(),
        }));
        if (kind === 'person') window.people.set(id as number, name as string);
        else window.sellers.add(seller as number);
        progress.see(date_time);
      },
      end: () => progress.end(),
    };
  },
};

/** Right where the disorder is shorter than the gap: a session is given out when its bidder comes again. */
const sessions: PeerQuery = {
  fields: ['kind', 'bidder', 'date_time'],
  open(emit) {
    const open = new Map<number, { count: number; first: number; last: number }>();
    return {
      event({ kind, bidder, date_time }) {
        if (kind !== 'bid') return;
        const session = open.get(bidder as number);
        if (!session || date_time > session.last + gapMs) {
          if (session) emit([bidder, session.count, session.first, session.last + gapMs]);
          open.set(bidder as number, { count: 1, first: date_time, last: date_time });
          return;
        }
        session.count++;
        if (date_time > session.last) session.last = date_time;
        else if (date_time < session.first) session.first = date_time;
      },
      end() {
        for (const [bidder, { count, first, last }] of open) emit([bidder, count, first, last + gapMs]);
      },
    };
  },
};

export const windowQueries: Readonly<Record<string, PeerQuery>> = {
  q5: hotAuctions,
  q7: highestBids,
  q8: newSellers,
  q11: sessions,
};
