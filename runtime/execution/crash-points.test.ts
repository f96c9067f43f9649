/** The process dies at each named point, at several of its visits; the next one finishes. Nothing is lost, nothing comes twice. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random.ts';
import { crashPointNames, expectExactlyOnce, requestsOf, runSchedule } from './chaos.fixture.ts';

function senders() {
  const random = seededRandom('crash-points');
  return [
    requestsOf('H1', 'beds', 8, random.fork('H1')),
    requestsOf('H2', 'beds', 8, random.fork('H2')),
    requestsOf('centre', 'calls', 8, random.fork('centre')),
  ];
}

const often = { checkpointEveryMs: 300, partitions: 3 };

describe('a crash at a named point', () => {
  it('goes through every point without one', async () => {
    const sent = senders();
    const result = await runSchedule(sent, { life: () => often, livesMax: 1 });
    expectExactlyOnce(sent, result);
    for (const name of crashPointNames) expect(result.visits.get(name), name).toBeGreaterThan(0);
  });

  for (const name of crashPointNames) {
    it.each([1, 2, 3])(`${name}, visit %i`, async (visit) => {
      const sent = senders();
      let happened = false;
      const result = await runSchedule(sent, {
        life: (index) => ({
          ...often,
          prepare(points) {
            if (index === 0) points.arm(name, visit);
            else happened = true;
          },
        }),
        livesMax: 3,
      });
      expectExactlyOnce(sent, result);
      // Points of which a short run has fewer visits are met by the schedules from seeds.
      if (visit === 1) expect(happened).toBe(true);
    });

    it(`${name}, in three lives in a row`, async () => {
      const sent = senders();
      const result = await runSchedule(sent, {
        life: (index) => ({ ...often, prepare: (points) => void (index < 3 && points.arm(name, 1)) }),
        livesMax: 5,
      });
      expectExactlyOnce(sent, result);
    });
  }
});
