/**
 * Takes the oldest entries out of a map or set until it has no more than so many: how many went. One iterator serves for good: one that begins anew
 * passes over the places of all that have gone before, tens of thousands of them each time.
 */
export function keepNewest<K>(all: Map<K, unknown> | Set<K>, countMax: number): () => number {
  const oldest = all.keys();
  return () => {
    let gone = 0;
    for (; all.size > countMax; gone++) all.delete(oldest.next().value as K);
    return gone;
  };
}
