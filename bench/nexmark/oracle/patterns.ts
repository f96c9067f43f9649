/** The pattern queries as plain loops over all bids of one auction and bidder, in order of time, then of the stream. */
import { openGenerator, type StreamSettings } from '../../../connectors/nexmark/generator.ts';
import type { Query } from '../queries.ts';
import { RowBook } from '../rows.ts';

interface Bid {
  readonly price: number;
  readonly date_time: number;
}

type Match = Readonly<Record<string, number>>;
type Finder = (bids: readonly Bid[]) => Match[];

const averageMax = 10_000;
const dropMin = 50;
const withinMs = 5_000;

const finders: Readonly<Record<string, Finder>> = {
  p0: fallsAndRises,
  p1: (bids) => lowAverages(bids, { goOn: 'after the match' }),
  p2: (bids) => lowAverages(bids, { goOn: 'at the next bid' }),
  p3: drops,
};

export function isPattern(query: Query): boolean {
  return query.name in finders;
}

/** The lines that the rows of a pattern query must be, sorted. */
export function patternLines(settings: StreamSettings & { readonly events: number }, query: Query): readonly string[] {
  const find = finders[query.name];
  if (!find) throw new Error(`there is no reference for ${query.name}`);
  const book = new RowBook(query);
  for (const { auction, bidder, bids } of bidsByKey(settings)) {
    for (const match of find(bids)) book.add({ auction, bidder, ...match });
  }
  return book.lines();
}

function bidsByKey(settings: StreamSettings & { readonly events: number }) {
  const generator = openGenerator(settings, ['kind', 'date_time', 'auction', 'bidder', 'price']);
  const groups = new Map<string, { auction: number; bidder: number; bids: Bid[] }>();
  for (let position = 0; position < settings.events; position++) {
    const { kind, auction, bidder, price, date_time } = generator.eventAt(position);
    if (kind !== 'bid' || auction === null || bidder === null || price === null) continue;
    const key = `${auction}/${bidder}`;
    const group = groups.get(key) ?? { auction, bidder, bids: [] };
    groups.set(key, group);
    group.bids.push({ price, date_time });
  }
  // Sorting keeps the order of the stream among equal times.
  for (const { bids } of groups.values()) bids.sort((a, b) => a.date_time - b.date_time);
  return groups.values();
}

function fallsAndRises(bids: readonly Bid[]): Match[] {
  const matches: Match[] = [];
  for (let start = 0; start < bids.length; ) {
    let lowest = start;
    while (priceAt(bids, lowest + 1) < priceAt(bids, lowest)) lowest++;
    let last = lowest;
    while (priceAt(bids, last + 1) > priceAt(bids, last)) last++;
    if (lowest === start || last === lowest) {
      start++;
      continue;
    }
    matches.push({
      start_time: timeAt(bids, start),
      lowest_price: priceAt(bids, lowest),
      last_time: timeAt(bids, last),
      last_price: priceAt(bids, last),
    });
    start = last;
  }
  return matches;
}

function lowAverages(bids: readonly Bid[], { goOn }: { goOn: 'after the match' | 'at the next bid' }): Match[] {
  const matches: Match[] = [];
  for (let start = 0; start < bids.length; ) {
    let total = 0;
    let end = start;
    while (end < bids.length && (total + priceAt(bids, end)) / (end - start + 1) < averageMax) {
      total += priceAt(bids, end);
      end++;
    }
    const found = end > start && end < bids.length;
    if (found) {
      matches.push({
        first_time: timeAt(bids, start),
        last_time: timeAt(bids, end - 1),
        average: Math.floor(total / (end - start)),
      });
    }
    start = found && goOn === 'after the match' ? end + 1 : start + 1;
  }
  return matches;
}

function drops(bids: readonly Bid[]): Match[] {
  const matches: Match[] = [];
  for (let start = 0; start < bids.length; ) {
    const floor = priceAt(bids, start) - dropMin;
    let end = start + 1;
    while (priceAt(bids, end) >= floor) end++;
    if (end >= bids.length || timeAt(bids, end) - timeAt(bids, start) > withinMs) {
      start++;
      continue;
    }
    matches.push({
      first_time: timeAt(bids, start),
      last_time: timeAt(bids, end),
      first_price: priceAt(bids, start),
      last_price: priceAt(bids, end),
    });
    start = end + 1;
  }
  return matches;
}

/** NaN beyond the end, which no price compares with. */
function priceAt(bids: readonly Bid[], index: number): number {
  return bids[index]?.price ?? Number.NaN;
}

function timeAt(bids: readonly Bid[], index: number): number {
  return (bids[index] as Bid).date_time;
}
