/** Simulations with seeds that are new each day. They stand in the name of the test; `npm run chaos -- --simulated --seeds N` runs one again. */
import { describe, expect, it } from 'vitest';
import { runSeeds } from './seeds.ts';
import { describeFailure } from './shrink.ts';
import { unproven } from './tally.ts';

const seedsOfADay = 100;
const timeoutMs = 240_000;
const dayMs = 86_400_000;
const first = 100_000 + Math.floor(Date.now() / dayMs) * seedsOfADay;
const last = first + seedsOfADay - 1;

describe('the whole engine under the faults of today', () => {
  it(
    `seeds ${first}..${last}: nothing lost, nothing twice`,
    async () => {
      const { tally, failures } = await runSeeds({ first, last });
      expect(failures.map(describeFailure).join('\n\n')).toBe('');
      expect(tally).toMatchObject({ failed: 0, missing: 0, twice: 0, wrong: 0, found: tally.owed });
      expect(unproven(tally)).toEqual([]);
    },
    timeoutMs,
  );
});
