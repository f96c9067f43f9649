/**
 * Simulations of the whole engine: some seeds that stay the same, some that are new each day. The seeds of today stand in the name of
 * their test; `npm run chaos -- --simulated --seeds N` runs one of them again.
 */
import { describe, expect, it } from 'vitest';
import { runSeeds } from './seeds.ts';
import { attempt, describeFailure, shrink } from './shrink.ts';
import { simulate } from './simulate.ts';
import { addTally, emptyTally, unproven } from './tally.ts';

const fixedSeeds = 100;
const seedsOfADay = 60;
const timeoutMs = 120_000;
const dayMs = 86_400_000;
const firstOfToday = 100_000 + Math.floor(Date.now() / dayMs) * seedsOfADay;

async function expectHeld(first: number, last: number) {
  const { tally, failures } = await runSeeds({ first, last });
  expect(failures.map(describeFailure).join('\n\n')).toBe('');
  expect(tally).toMatchObject({ failed: 0, missing: 0, twice: 0, wrong: 0, found: tally.owed });
  return tally;
}

describe('the whole engine under faults from a seed', () => {
  const all = emptyTally();

  it(
    `seeds 1..${fixedSeeds}: nothing lost, nothing twice`,
    async () => {
      addTally(all, await expectHeld(1, fixedSeeds));
    },
    timeoutMs,
  );

  it(
    `seeds of today, ${firstOfToday}..${firstOfToday + seedsOfADay - 1}: nothing lost, nothing twice`,
    async () => {
      addTally(all, await expectHeld(firstOfToday, firstOfToday + seedsOfADay - 1));
    },
    timeoutMs,
  );

  it('has met every kind of fault, and what it is meant to bring about has happened', () => {
    expect(all.seeds).toBe(fixedSeeds + seedsOfADay);
    expect(unproven(all)).toEqual([]);
  });

  it('is the same run for the same seed', async () => {
    const [one, two] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
    expect(one).toEqual(two);
  });

  it('finds the smallest prefix of a schedule that fails', async () => {
    let inserts = 0;
    const tampering = {
      store: (store: Parameters<NonNullable<import('./process.ts').Tampering['store']>>[0]) => ({
        ...store,
        insert: (...[table, rows, token]: Parameters<typeof store.insert>) =>
          store.insert(table, rows, `${token}#${++inserts}`),
      }),
    };
    const options = {
      seed: 5,
      form: { partitions: 1, workers: undefined },
      tampering,
      schedule: [
        { atMs: 2_000, kind: 'poison-events', events: 2 },
        { atMs: 4_000, kind: 'delivery-late', rate: 0.2, forMs: 5_000, delayMaxMs: 100 },
        { atMs: 6_000, kind: 'store-times-out', rate: 0.9, forMs: 30_000 },
        { atMs: 40_000, kind: 'kill' },
      ],
    } as const;
    const tried = await attempt(options);
    if (tried.held) throw new Error('the break was not found');
    const failure = await shrink(options, tried.problems);
    expect(failure).toMatchObject({ seed: 5, prefix: 3 });
    expect(describeFailure(failure)).toContain('the first 3 (marked *) are enough');
  });
});
