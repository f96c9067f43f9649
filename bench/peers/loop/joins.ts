/** Queries that put persons, auctions and bids together, whichever comes first. */
import type { NexmarkEvent, NexmarkField } from '../../../connectors/nexmark/schema.ts';
import type { Emit, PeerQuery, RunningQuery } from '../stream.ts';
import { foundOrMade } from './found-or-made.ts';

const wantedCategory = 10;
const wantedStates: ReadonlySet<string | null> = new Set(['OR', 'ID', 'CA']);

/** Adds to the list of a key. */
function gather<Value>(lists: Map<number, Value[]>, key: number, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

const localSellers: PeerQuery = {
  fields: ['kind', 'id', 'name', 'city', 'state', 'seller', 'category'],
  open(emit) {
    const people = new Map<number, NexmarkEvent>();
    const auctions = new Map<number, number[]>();
    return {
      event(event) {
        if (event.kind === 'person') {
          if (!wantedStates.has(event.state)) return;
          people.set(event.id as number, event);
          for (const auction of auctions.get(event.id as number) ?? [])
            emit([event.name, event.city, event.state, auction]);
        } else if (event.kind === 'auction' && event.category === wantedCategory) {
          gather(auctions, event.seller as number, event.id as number);
          const person = people.get(event.seller as number);
          if (person) emit([person.name, person.city, person.state, event.id]);
        }
      },
    };
  },
};

/** Bids with their auction, in the auction's time. Bids may come before their auction. */
function bidsInTime(onBid: (auction: NexmarkEvent, bid: NexmarkEvent) => void): RunningQuery {
  const auctions = new Map<number, NexmarkEvent>();
  const waiting = new Map<number, NexmarkEvent[]>();
  const offer = (auction: NexmarkEvent, bid: NexmarkEvent) => {
    if (bid.date_time >= auction.date_time && bid.date_time <= (auction.expires as number)) onBid(auction, bid);
  };
  return {
    event(event) {
      if (event.kind === 'bid') {
        const auction = auctions.get(event.auction as number);
        if (auction) offer(auction, event);
        else gather(waiting, event.auction as number, event);
      } else if (event.kind === 'auction') {
        auctions.set(event.id as number, event);
        for (const bid of waiting.get(event.id as number) ?? []) offer(event, bid);
        waiting.delete(event.id as number);
      }
    },
  };
}

const averageByCategory: PeerQuery = {
  fields: ['kind', 'date_time', 'id', 'category', 'expires', 'auction', 'price'],
  open(emit) {
    const highest = new Map<NexmarkEvent, number>();
    const running = bidsInTime((auction, { price }) => {
      const known = highest.get(auction);
      if (known === undefined || (price as number) > known) highest.set(auction, price as number);
    });
    return {
      ...running,
      end() {
        const totals = new Map<number, { sum: number; count: number }>();
        for (const [{ category }, price] of highest) {
          const total = totals.get(category as number) ?? { sum: 0, count: 0 };
          totals.set(category as number, { sum: total.sum + price, count: total.count + 1 });
        }
        for (const [category, { sum, count }] of totals) emit([category, Math.floor(sum / count)]);
      },
    };
  },
};

const auctionFields: readonly NexmarkField[] = [
  'item_name',
  'description',
  'initial_bid',
  'reserve',
  'date_time',
  'expires',
  'seller',
  'category',
  'extra',
];

const winningBids: PeerQuery = {
  fields: ['kind', 'id', ...auctionFields, 'auction', 'bidder', 'price'],
  open(emit) {
    const best = new Map<NexmarkEvent, NexmarkEvent>();
    const running = bidsInTime((auction, bid) => {
      const known = best.get(auction);
      const price = bid.price as number;
      const knownPrice = known?.price as number;
      if (!known || price > knownPrice || (price === knownPrice && bid.date_time < known.date_time))
        best.set(auction, bid);
    });
    return {
      ...running,
      end() {
        for (const [a, bid] of best)
          emit([
            ...[a.id, a.item_name, a.description, a.initial_bid, a.reserve, a.date_time, a.expires, a.seller],
            ...[a.category, a.extra, bid.auction, bid.bidder, bid.price, bid.date_time, bid.extra],
          ]);
      },
    };
  },
};

const bidsOfCategory: PeerQuery = {
  fields: ['kind', 'id', ...auctionFields, 'auction', 'bidder', 'price', 'channel', 'url'],
  open(emit) {
    /** Null: an auction of another category, whose bids nobody wants. */
    const auctions = new Map<number, NexmarkEvent | null>();
    const waiting = new Map<number, NexmarkEvent[]>();
    const join = (a: NexmarkEvent, b: NexmarkEvent) =>
      emit([
        ...[b.auction, b.bidder, b.price, b.channel, b.url, b.date_time, b.extra, a.item_name, a.description],
        ...[a.initial_bid, a.reserve, a.date_time, a.expires, a.seller, a.category, a.extra],
      ]);
    return {
      event(event) {
        if (event.kind === 'bid') {
          const auction = auctions.get(event.auction as number);
          if (auction) join(auction, event);
          else if (auction === undefined) gather(waiting, event.auction as number, event);
        } else if (event.kind === 'auction') {
          const isWanted = event.category === wantedCategory;
          auctions.set(event.id as number, isWanted ? event : null);
          if (isWanted) for (const bid of waiting.get(event.id as number) ?? []) join(event, bid);
          waiting.delete(event.id as number);
        }
      },
    };
  },
};

/** What has come of a person who bids and sells. */
interface Dealings {
  person?: NexmarkEvent;
  readonly auctions: number[];
  readonly bids: NexmarkEvent[];
}

const bidsOfSellers: PeerQuery = {
  fields: ['kind', 'date_time', 'id', 'name', 'state', 'seller', 'bidder', 'price'],
  open(emit: Emit) {
    const all = new Map<number, Dealings>();
    const dealingsOf = (id: number): Dealings => foundOrMade(all, id, () => ({ auctions: [], bids: [] }));
    const join = (person: NexmarkEvent, auction: number, { bidder, price, date_time }: NexmarkEvent) =>
      emit([auction, bidder, bidder, price, date_time, person.name, person.state]);
    return {
      event(event) {
        if (event.kind === 'bid') {
          const { person, auctions, bids } = dealingsOf(event.bidder as number);
          bids.push(event);
          if (person) for (const auction of auctions) join(person, auction, event);
        } else if (event.kind === 'auction') {
          const { person, auctions, bids } = dealingsOf(event.seller as number);
          auctions.push(event.id as number);
          if (person) for (const bid of bids) join(person, event.id as number, bid);
        } else {
          const dealings = dealingsOf(event.id as number);
          dealings.person = event;
          for (const auction of dealings.auctions) for (const bid of dealings.bids) join(event, auction, bid);
        }
      },
    };
  },
};

export const joinQueries: Readonly<Record<string, PeerQuery>> = {
  q3: localSellers,
  q4: averageByCategory,
  q9: winningBids,
  q20: bidsOfCategory,
  q23: bidsOfSellers,
};
