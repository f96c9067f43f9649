/** The queries: each is a topology file of its name; here stands how its rows are written down to be compared. */
import { fileURLToPath } from 'node:url';

export interface Query {
  readonly name: string;
  /** Fields of a row, in the order of the reference. */
  readonly columns: readonly string[];
  /** Of a query that corrects its results: the fields by which a later row takes the place of an earlier one. */
  readonly key?: readonly string[];
}

export const queries: readonly Query[] = [
  { name: 'q0', columns: ['auction', 'bidder', 'price', 'date_time', 'extra'] },
  { name: 'q1', columns: ['auction', 'bidder', 'euros', 'date_time', 'extra'] },
  { name: 'q2', columns: ['auction', 'price'] },
];

export function topologyFile(query: string): string {
  return fileURLToPath(new URL(`topologies/${query}.yaml`, import.meta.url));
}
