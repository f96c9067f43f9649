/** What is measured lies between the first event and the last row, as with every other contender. */
import { expect, it } from 'vitest';
import type { Log } from '../../runtime/bus/log.ts';
import { openLog } from './logs.ts';
import { queries } from './queries.ts';
import { measureQuery, passingOf, prepareQuery } from './run-query.ts';

const now = () => performance.timeOrigin + performance.now();

/** Tells when the engine has opened what it needs of the log. */
function watchOpening(log: Log): { readonly watched: Log; readonly openedAt: () => number } {
  let openedAt = Number.NEGATIVE_INFINITY;
  const opened = async <Result>(opening: Promise<Result>): Promise<Result> => {
    const result = await opening;
    openedAt = now();
    return result;
  };
  const watched = new Proxy(log, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver) as unknown;
      if (name === 'stream' || name === 'objects')
        return (...given: unknown[]) =>
          opened((value as (...args: unknown[]) => Promise<unknown>).apply(target, given));
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { watched, openedAt: () => openedAt };
}

it('begins when the source does, with the streams open, and ends before the answer', async () => {
  const query = queries.find(({ name }) => name === 'q1');
  if (!query) throw new Error('there is no q1');
  const stream = { events: 20_000, seed: 7, rate: 10_000, disorder: 1 };
  const prepared = await prepareQuery(query, stream);
  const options = { ...stream, partitions: 1, checkpointEveryMs: 10_000 };
  const { log, close } = await openLog('memory', passingOf(prepared.topology, { ...options, keepsRows: false }));
  const { watched, openedAt } = watchOpening(log);
  const { beganAt, endedAt, seconds, rows } = await measureQuery(prepared.topology, watched, options);
  const answeredAt = now();
  await close();
  await prepared.clean();
  expect(rows).toBe((20_000 * 46) / 50);
  expect(openedAt()).toBeGreaterThan(0);
  expect(beganAt).toBeGreaterThanOrEqual(openedAt());
  expect(endedAt).toBeGreaterThan(beganAt);
  expect(answeredAt).toBeGreaterThanOrEqual(endedAt);
  expect(seconds).toBe((endedAt - beganAt) / 1_000);
});
