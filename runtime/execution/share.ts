/** Who should have which partition: a pure function of who lives and who holds what. */

export interface Holding {
  readonly worker: string;
  readonly held: readonly number[];
}

/**
 * Shares differ by one at most. Who holds a partition keeps it as long as its share allows, so that a worker that comes or goes
 * moves as few as possible. Every worker that sees the same gets the same answer: nobody has to decide for the others.
 */
export function sharePartitions(
  partitions: number,
  workers: readonly Holding[],
): ReadonlyMap<string, readonly number[]> {
  const byName = [...workers].sort((a, b) => (a.worker < b.worker ? -1 : 1));
  const claimed = new Set<number>();
  const holdings = byName.map(({ worker, held }) => {
    // While a partition moves two may name it.
    const own = [...held].sort((a, b) => a - b).filter((one) => one < partitions && !claimed.has(one));
    for (const one of own) claimed.add(one);
    return { worker, own };
  });
  // Where shares differ those who hold most get the larger ones. The sort is stable: else by name.
  holdings.sort((a, b) => b.own.length - a.own.length);
  const base = Math.floor(partitions / Math.max(1, holdings.length));
  const larger = partitions - base * holdings.length;
  const shares = holdings.map(({ worker, own }, index) => {
    const size = index < larger ? base + 1 : base;
    return { worker, size, share: own.slice(0, size) };
  });
  const kept = new Set(shares.flatMap(({ share }) => share));
  const free = Array.from({ length: partitions }, (_, index) => index).filter((one) => !kept.has(one));
  for (const { share, size } of shares) share.push(...free.splice(0, size - share.length));
  return new Map(shares.map(({ worker, share }) => [worker, share.sort((a, b) => a - b)]));
}
