/** The queries: each is a topology file of its name; here stands how its rows are written down to be compared. */
import { fileURLToPath } from 'node:url';

export interface Query {
  readonly name: string;
  /** Fields of a row, in the order of the reference. */
  readonly columns: readonly string[];
  /** Of a query that corrects its results: the fields by which a later row takes the place of an earlier one. */
  readonly key?: readonly string[];
  /** Rows that are equal but for this column are put together to one, with the sum of it: of a query whose windows hang on the clock, or whose files several have written. */
  readonly total?: string;
  /** Its results are files, and the rows say how many each folder holds. */
  readonly files?: true;
  /** What becomes of an event hangs on nothing before it. */
  readonly isStateless?: true;
}

const ranks = ['bids', 'rank1_bids', 'rank2_bids', 'rank3_bids'] as const;
const people = ['bidders', 'rank1_bidders', 'rank2_bidders', 'rank3_bidders'] as const;
const auctions = ['auctions', 'rank1_auctions', 'rank2_auctions', 'rank3_auctions'] as const;
const offer = [
  'id',
  'item_name',
  'description',
  'initial_bid',
  'reserve',
  'date_time',
  'expires',
  'seller',
  'category',
  'extra',
] as const;
const bidder = ['auction', 'bidder'] as const;
const bid = ['auction', 'bidder', 'price'] as const;

export const queries: readonly Query[] = [
  { name: 'q0', columns: [...bid, 'date_time', 'extra'], isStateless: true },
  { name: 'q1', columns: ['auction', 'bidder', 'euros', 'date_time', 'extra'], isStateless: true },
  { name: 'q2', columns: ['auction', 'price'], isStateless: true },
  { name: 'q3', columns: ['name', 'city', 'state', 'auction_id'] },
  { name: 'q4', columns: ['category', 'average'], key: ['category'] },
  { name: 'q5', columns: ['window_start', 'auction', 'bids'] },
  { name: 'q7', columns: ['auction', 'price', 'bidder', 'date_time', 'extra'] },
  { name: 'q8', columns: ['id', 'name', 'window_start'] },
  {
    name: 'q9',
    columns: [...offer, 'bid_auction', 'bid_bidder', 'bid_price', 'bid_date_time', 'bid_extra'],
    key: ['id'],
  },
  { name: 'q10', columns: ['day', 'minute', 'bids'], total: 'bids', files: true, isStateless: true },
  { name: 'q11', columns: ['bidder', 'bids', 'window_start', 'window_end'] },
  { name: 'q12', columns: ['bidder', 'bids'], total: 'bids' },
  { name: 'q13', columns: [...bid, 'date_time', 'value'], isStateless: true },
  {
    name: 'q14',
    columns: ['auction', 'bidder', 'euros', 'time_of_day', 'date_time', 'extra', 'c_count'],
    isStateless: true,
  },
  { name: 'q15', columns: ['day', ...ranks, ...people, ...auctions], key: ['day'] },
  { name: 'q16', columns: ['channel', 'day', 'minute', ...ranks, ...people, ...auctions], key: ['channel', 'day'] },
  {
    name: 'q17',
    columns: ['auction', 'day', ...ranks, 'lowest', 'highest', 'average', 'total'],
    key: ['auction', 'day'],
  },
  { name: 'q18', columns: [...bid, 'channel', 'url', 'date_time', 'extra'], key: ['bidder', 'auction'] },
  { name: 'q19', columns: [...bid, 'channel', 'url', 'date_time', 'extra', 'rank'], key: ['auction', 'rank'] },
  {
    name: 'q20',
    columns: [...bid, 'channel', 'url', 'date_time', 'extra', ...offer.slice(1).map((name) => `auction_${name}`)],
  },
  { name: 'q21', columns: [...bid, 'channel', 'channel_id'], isStateless: true },
  { name: 'q22', columns: [...bid, 'channel', 'dir1', 'dir2', 'dir3'], isStateless: true },
  { name: 'q23', columns: ['auction_id', 'bidder', 'bidder', 'price', 'date_time', 'name', 'state'] },
  { name: 'p0', columns: [...bidder, 'start_time', 'lowest_price', 'last_time', 'last_price'] },
  { name: 'p1', columns: [...bidder, 'first_time', 'last_time', 'average'] },
  { name: 'p2', columns: [...bidder, 'first_time', 'last_time', 'average'] },
  { name: 'p3', columns: [...bidder, 'first_time', 'last_time', 'first_price', 'last_price'] },
];

export function topologyFile(query: string): string {
  return fileURLToPath(new URL(`topologies/${query}.yaml`, import.meta.url));
}
