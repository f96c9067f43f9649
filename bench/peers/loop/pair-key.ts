/** Both numbers stay far below. */
const bidderSpace = 2 ** 24;

/** One number for an auction and a bidder. */
export function pairKey(auction: number, bidder: number): number {
  return auction * bidderSpace + bidder;
}
