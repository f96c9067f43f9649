/** The simulations of a range of seeds, one after the other. */
import { attempt, type Failure, shrink } from './shrink.ts';
import { addResult, emptyTally, type Tally } from './tally.ts';

export interface SeedsResult {
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

export async function runSeeds(args: { first: number; last: number; partitions?: number }): Promise<SeedsResult> {
  const { first, last, partitions } = args;
  const form = partitions === undefined ? {} : { partitions };
  const tally = emptyTally();
  const failures: Failure[] = [];
  for (let seed = first; seed <= last; seed++) {
    const tried = await attempt({ seed, ...form });
    tally.seeds++;
    if (tried.result) addResult(tally, tried.result);
    if (tried.held) continue;
    tally.failed++;
    failures.push(await shrink({ seed, ...form }, tried.problems));
  }
  return { tally, failures };
}
