/** Puts rows beside those that were expected. */
import type { Event } from '../../stream/schema.ts';
import type { ExpectedRow } from './bound-test.ts';
import { topologyTestLimits } from './limits.ts';
import type { CollectedRow } from './world-form.ts';

export function matches({ fields, time }: ExpectedRow, row: CollectedRow): boolean {
  if (time !== undefined && time !== row.time) return false;
  return Object.entries(fields).every(([name, value]) => isSame(value, row.event[name]));
}

/** Decimal fractions are compared to one in a thousand million: what a test writes is rarely what a float holds. */
export function isSame(one: unknown, two: unknown): boolean {
  if (typeof one === 'number' && typeof two === 'number') {
    return one === two || Math.abs(one - two) <= 1e-9 * Math.max(Math.abs(one), Math.abs(two));
  }
  if (one === null || two === null || typeof one !== 'object' || typeof two !== 'object') return one === two;
  if (Array.isArray(one) !== Array.isArray(two)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(two).length) return false;
  return keys.every((key) => key in two && isSame((one as Event)[key], (two as Event)[key]));
}

/** A row beside the one that was expected in its place; one of them may be missing. */
export interface Pair {
  readonly expected?: ExpectedRow;
  readonly row?: CollectedRow;
}

/** The longest common part in order stands side by side; what is left of either stands alone. */
export function alignRows(wanted: readonly ExpectedRow[], got: readonly CollectedRow[]): Pair[] {
  let begin = 0;
  while (begin < wanted.length && begin < got.length && matchAt(wanted, got, begin, begin)) begin++;
  const pairs: Pair[] = [];
  for (let index = 0; index < begin; index++) pairs.push(pairOf(wanted[index], got[index]));
  const restWanted = wanted.slice(begin);
  const restGot = got.slice(begin);
  if (restWanted.length > topologyTestLimits.alignedRowsMax || restGot.length > topologyTestLimits.alignedRowsMax) {
    return [...pairs, ...restWanted.map((expected) => ({ expected })), ...restGot.map((row) => ({ row }))];
  }
  const lengths = commonLengths(restWanted, restGot);
  let one = 0;
  let two = 0;
  while (one < restWanted.length || two < restGot.length) {
    if (one < restWanted.length && two < restGot.length && matchAt(restWanted, restGot, one, two)) {
      pairs.push(pairOf(restWanted[one++], restGot[two++]));
    } else if (two >= restGot.length || (one < restWanted.length && longer(lengths, one + 1, two, one, two + 1))) {
      pairs.push(pairOf(restWanted[one++], undefined));
    } else pairs.push(pairOf(undefined, restGot[two++]));
  }
  return pairs;
}

const longer = (lengths: readonly Uint16Array[], a: number, b: number, c: number, d: number) =>
  (lengths[a]?.[b] ?? 0) >= (lengths[c]?.[d] ?? 0);

function pairOf(expected: ExpectedRow | undefined, row: CollectedRow | undefined): Pair {
  return { ...(expected && { expected }), ...(row && { row }) };
}

function matchAt(wanted: readonly ExpectedRow[], got: readonly CollectedRow[], one: number, two: number): boolean {
  return matches(wanted[one] as ExpectedRow, got[two] as CollectedRow);
}

/** Length of the longest common part of what begins at each pair of places. */
function commonLengths(wanted: readonly ExpectedRow[], got: readonly CollectedRow[]): Uint16Array[] {
  const lengths = Array.from({ length: wanted.length + 1 }, () => new Uint16Array(got.length + 1));
  for (let one = wanted.length - 1; one >= 0; one--) {
    const line = lengths[one] as Uint16Array;
    const below = lengths[one + 1] as Uint16Array;
    for (let two = got.length - 1; two >= 0; two--) {
      line[two] = matchAt(wanted, got, one, two)
        ? (below[two + 1] as number) + 1
        : Math.max(below[two] as number, line[two + 1] as number);
    }
  }
  return lengths;
}
