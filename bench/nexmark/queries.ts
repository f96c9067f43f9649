/** The queries: each is a topology file of its name; here stands how its rows are written down to be compared. */
import { fileURLToPath } from 'node:url';

export interface Query {
  readonly name: string;
  /** Fields of a row, in the order of the reference. */
  readonly columns: readonly string[];
  /** Of a query that corrects its results: the fields by which a later row takes the place of an earlier one. */
  readonly key?: readonly string[];
}

const ranks = ['bids', 'rank1_bids', 'rank2_bids', 'rank3_bids'] as const;
const people = ['bidders', 'rank1_bidders', 'rank2_bidders', 'rank3_bidders'] as const;
const auctions = ['auctions', 'rank1_auctions', 'rank2_auctions', 'rank3_auctions'] as const;
const bid = ['auction', 'bidder', 'price'] as const;

export const queries: readonly Query[] = [
  { name: 'q0', columns: [...bid, 'date_time', 'extra'] },
  { name: 'q1', columns: ['auction', 'bidder', 'euros', 'date_time', 'extra'] },
  { name: 'q2', columns: ['auction', 'price'] },
  { name: 'q5', columns: ['window_start', 'auction', 'bids'] },
  { name: 'q7', columns: ['auction', 'price', 'bidder', 'date_time', 'extra'] },
  { name: 'q8', columns: ['id', 'name', 'window_start'] },
  { name: 'q11', columns: ['bidder', 'bids', 'window_start', 'window_end'] },
  { name: 'q13', columns: [...bid, 'date_time', 'value'] },
  { name: 'q14', columns: ['auction', 'bidder', 'euros', 'time_of_day', 'date_time', 'extra', 'c_count'] },
  { name: 'q15', columns: ['day', ...ranks, ...people, ...auctions], key: ['day'] },
  { name: 'q16', columns: ['channel', 'day', 'minute', ...ranks, ...people, ...auctions], key: ['channel', 'day'] },
  {
    name: 'q17',
    columns: ['auction', 'day', ...ranks, 'lowest', 'highest', 'average', 'total'],
    key: ['auction', 'day'],
  },
  { name: 'q19', columns: [...bid, 'channel', 'url', 'date_time', 'extra', 'rank'], key: ['auction', 'rank'] },
  { name: 'q21', columns: [...bid, 'channel', 'channel_id'] },
  { name: 'q22', columns: [...bid, 'channel', 'dir1', 'dir2', 'dir3'] },
];

export function topologyFile(query: string): string {
  return fileURLToPath(new URL(`topologies/${query}.yaml`, import.meta.url));
}
