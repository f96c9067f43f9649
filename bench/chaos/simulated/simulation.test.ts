/** Simulations of the whole engine with seeds that stay the same, and what the simulation itself promises. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Tampering } from './process.ts';
import { actionKinds, crashPointNames } from './schedule.ts';
import { runSeeds } from './seeds.ts';
import { attempt, describeFailure, shrink } from './shrink.ts';
import { formOf, simulate } from './simulate.ts';
import { unproven } from './tally.ts';

const fixedSeeds = 100;
const timeoutMs = 240_000;

describe('the whole engine under faults from a seed', () => {
  it(
    `seeds 1..${fixedSeeds}: nothing lost, nothing twice; every kind of fault was met`,
    async () => {
      const { tally, failures } = await runSeeds({ first: 1, last: fixedSeeds });
      expect(failures.map(describeFailure).join('\n\n')).toBe('');
      expect(tally).toMatchObject({ failed: 0, missing: 0, twice: 0, wrong: 0, found: tally.owed });
      expect(unproven(tally)).toEqual([]);
      expect(Object.keys(tally.faults).sort()).toEqual([...actionKinds].sort());
    },
    timeoutMs,
  );

  it('knows every crash point of the engine', () => {
    const execution = fileURLToPath(new URL('../../../runtime/execution', import.meta.url));
    const files = readdirSync(execution, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?<!test)\.ts$/.test(name),
    );
    const named = files.flatMap((name) =>
      [...readFileSync(join(execution, name), 'utf8').matchAll(/crashPoints\.at\('([\w.-]+)'\)/g)].map(
        ([, point]) => point,
      ),
    );
    // Changes of versions and of partitions and redriven letters are started by people, and have tests of their own.
    const own = named.filter((point) => !/^(upgrade|rescale|redrive)\./.test(point ?? ''));
    expect([...new Set(own)].sort()).toEqual([...crashPointNames].sort());
  });

  it('is the same run for the same seed, with several workers too', async () => {
    for (const seed of [7, 13]) {
      const [one, two] = [await simulate({ seed }), await simulate({ seed })];
      expect(one).toEqual(two);
    }
    expect(formOf(7).workers).toBeUndefined();
    expect(formOf(13).workers).toBeGreaterThan(1);
  });

  it('finds the smallest prefix of a schedule that fails, and says how to see it again', async () => {
    let inserts = 0;
    const tampering: Tampering = {
      store: (store) => ({
        ...store,
        insert: (table, rows, token) => store.insert(table, rows, `${token}#${++inserts}`),
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
    const text = describeFailure(failure);
    expect(text).toContain('the first 3 (marked *) are enough');
    expect(text).toContain('npm run chaos -- --simulated --seeds 5');
  });
});
