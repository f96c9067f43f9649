/** "Did you mean": the candidate that a mistyped word was most likely meant to be. */

/** Words longer than this are compared by their first characters: nobody means a word of this length by a typing mistake. */
const wordLengthMax = 64;

/**
 * The nearest candidate, or undefined when none is near enough: at most one mistake in three characters. Case and the
 * choice between `_`, `-` and a space count as nothing. Of equally near ones the first is taken.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = normalize(word);
  const distanceMax = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const candidate of candidates) {
    const given = normalize(candidate);
    if (candidate === word || Math.abs(given.length - wanted.length) >= bestDistance) continue;
    // A word of which nothing is left is not a near one: "a" is not a mistyped "b".
    const distance = editDistance(wanted, given);
    if (distance >= bestDistance || distance >= Math.max(wanted.length, given.length)) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

function normalize(word: string): string {
  return word.slice(0, wordLengthMax).toLowerCase().replace(/[-\s]/g, '_');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (previous[column - 1] as number) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, (beforePrevious[column - 2] as number) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length] as number;
}
