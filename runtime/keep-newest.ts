/**
 * Takes the oldest entries out of a map or set until it has no more than so many: how many went. One iterator serves many calls: one that begins anew
 * passes over the places of all that have gone before, tens of thousands of them each time. One that stands still, though, keeps every table that the
 * map has outgrown since, so it goes when nothing was too much for a while.
 */
export function keepNewest<K>(all: Map<K, unknown> | Set<K>, countMax: number): () => number {
  let oldest: IterableIterator<K> | undefined;
  let callsInVain = 0;
  return () => {
    let gone = 0;
    for (; all.size > countMax; gone++) {
      oldest ??= all.keys();
      all.delete(oldest.next().value as K);
    }
    callsInVain = gone > 0 ? 0 : callsInVain + 1;
    if (callsInVain > countMax) oldest = undefined;
    return gone;
  };
}
