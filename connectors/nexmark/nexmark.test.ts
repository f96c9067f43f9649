import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext, until } from '../testing/source-context.ts';
import { openGenerator } from './generator.ts';
import { nexmark } from './index.ts';

const options = { events: 10_000, seed: 7, disorder: 100 };
const positions = Array.from({ length: options.events }, (_, position) => position);

function expectWholeStream(log: ReturnType<typeof recordedLog>): void {
  const generator = openGenerator({ seed: 7, rate: 10_000, disorder: 100 });
  const whole = positions.map((position) => generator.eventAt(position));
  expect(log.events).toEqual(whole.map((event) => ({ event, time: event.date_time })));
}

describe('the source nexmark', () => {
  it('gives the whole stream, and says that it has ended', async () => {
    const log = recordedLog();
    const source = await bindSource(nexmark, options).open(testContext(log, { clock: virtualClock(0) }));
    await until(() => log.ended);
    expectWholeStream(log);
    await source.close();
  });

  it('goes on after a restart where the log says that it was', async () => {
    const log = recordedLog();
    const first = testContext(log, { clock: virtualClock(0) });
    log.after = () => {
      if (log.requests.length === 2) first.stop.abort();
    };
    await (await bindSource(nexmark, options).open(first)).close();
    expect(log.ended).toBe(false);
    const accepted = log.events.length;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(options.events);
    const source = await bindSource(nexmark, options).open(testContext(log, { clock: virtualClock(0) }));
    await until(() => log.ended);
    expectWholeStream(log);
    await source.close();
  });

  it('tries again what the log did not take, under the same identity', async () => {
    const log = recordedLog();
    const clock = virtualClock(0);
    const refused: (string | undefined)[] = [];
    log.before = ({ id }) => {
      if (log.requests.length !== 2 || refused.length > 0) return;
      refused.push(id);
      throw new Error('the disk is full');
    };
    const source = await bindSource(nexmark, options).open(testContext(log, { clock }));
    await until(() => refused.length > 0);
    while (!log.ended) {
      await clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expectWholeStream(log);
    expect(log.requests.map(({ id }) => id)).toContain(refused[0]);
    await source.close();
  });

  it('makes only the fields that are read', async () => {
    const log = recordedLog();
    const bound = bindSource(nexmark, options).narrow?.(new Set(['price', 'kind']));
    expect(Object.keys(bound?.ports.out?.fields ?? {})).toEqual(['kind', 'price']);
    const source = await bound?.open(testContext(log, { clock: virtualClock(0) }));
    await until(() => log.ended);
    expect(log.events[4]?.event).toEqual({ kind: 'bid', price: expect.any(Number) });
    expect(log.events).toHaveLength(options.events);
    await source?.close();
  });
});
