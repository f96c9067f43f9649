/**
 * Schedules from seeds: faults of the log, crashes anywhere, processes that come back. The seed of a run that fails stands in the
 * name of what failed; `MACH_SEED=123` runs that one alone.
 */
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { type Random, seededRandom } from '../random.ts';
import { crashPointNames, expectExactlyOnce, requestsOf, runSchedule } from './chaos.fixture.ts';

const seedsOfOneTest = 50;
const tests = 6;

function faultsOf(random: Random) {
  return faultPlan(random.fork('faults'), {
    acknowledgementLost: random.float() * 0.1,
    acknowledgementLate: random.float() * 0.1,
    acknowledgementTwice: random.float() * 0.1,
    appendLost: random.float() * 0.1,
    noResponders: random.float() * 0.05,
    deliveryLate: random.float() * 0.1,
    delayMaxMs: random.int(10, 8_000),
  });
}

async function runSeed(seed: number): Promise<{ lives: number; faults: ReadonlyMap<string, number> }> {
  const random = seededRandom(seed);
  const senders = [
    requestsOf('H1', 'beds', 5, random.fork('H1')),
    requestsOf('H2', 'beds', 5, random.fork('H2')),
    requestsOf('centre', 'calls', 5, random.fork('centre')),
  ];
  const faults = faultsOf(random);
  const crashes = random.fork('crashes');
  const crashesMax = crashes.int(0, 5);
  const partitions = seed % 3 === 0 ? 4 : 1;
  const result = await runSchedule(senders, {
    faults,
    livesMax: 40,
    life: (index) => ({
      partitions,
      checkpointEveryMs: crashes.pick([200, 1_000, 5_000]),
      prepare(points) {
        if (index < crashesMax) points.arm(crashes.pick(crashPointNames), crashes.int(1, 6));
      },
    }),
  });
  expectExactlyOnce(senders, result);
  return { lives: result.lives, faults: faults.counts };
}

async function runNamed(seed: number) {
  try {
    return await runSeed(seed);
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

describe('schedules from seeds', () => {
  const only = process.env.MACH_SEED;
  if (only !== undefined) {
    it(`seed ${only}`, () => runNamed(Number(only)));
    return;
  }

  it.each(Array.from({ length: tests }, (_, index) => index * seedsOfOneTest))(
    'from seed %i on: nothing is lost, nothing comes twice',
    async (first) => {
      let lives = 0;
      const kinds = new Set<string>();
      for (let seed = first; seed < first + seedsOfOneTest; seed++) {
        const run = await runNamed(seed);
        lives += run.lives;
        for (const kind of run.faults.keys()) kinds.add(kind);
      }
      // Schedules without crashes and faults would prove nothing.
      expect(lives).toBeGreaterThan(seedsOfOneTest * 1.5);
      expect(kinds.size).toBe(6);
    },
  );
});
