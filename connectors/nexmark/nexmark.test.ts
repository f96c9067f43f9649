import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext, until } from '../testing/source-context.ts';
import { openGenerator } from './generator.ts';
import { nexmark } from './index.ts';

const options = { events: 10_000, seed: 7, disorder: 100 };
const positions = Array.from({ length: options.events }, (_, position) => position);

async function pass(clock: ReturnType<typeof virtualClock>, byMs: number): Promise<void> {
  for (let ms = 0; ms < byMs; ms++) await clock.advance(1);
}

function wholeStream() {
  const generator = openGenerator({ seed: 7, rate: 10_000, disorder: 100 });
  return positions.map((position) => generator.eventAt(position));
}

function expectWholeStream(log: ReturnType<typeof recordedLog>): void {
  expect(log.events).toEqual(wholeStream().map((event) => ({ event, time: event.date_time })));
}

describe('the source nexmark', () => {
  it('gives the whole stream, and says that it has ended', async () => {
    const log = recordedLog();
    const source = await bindSource(nexmark, options).open(testContext(log, { clock: virtualClock(0) }));
    await until(() => log.ended);
    expectWholeStream(log);
    await source.close();
  });

  it('is shared by several, who give together what one gives', async () => {
    const shares = await Promise.all(
      ['1/3', '2/3', '3/3'].map(async (share) => {
        const log = recordedLog();
        const source = await bindSource(nexmark, { ...options, share }).open(
          testContext(log, { clock: virtualClock(0) }),
        );
        await until(() => log.ended);
        await source.close();
        return log.requests;
      }),
    );
    for (const requests of shares) expect(requests.length).toBeGreaterThan(0);
    const all = shares.flat().sort((one, other) => Number(one.id) - Number(other.id));
    const events = all.flatMap(({ columns }) => columns?.events.events ?? []);
    expect(events).toEqual(wholeStream());
    await expect(async () => bindSource(nexmark, { ...options, share: '3/2' })).rejects.toThrow();
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

  const paced = { events: 1_000, seed: 7, rate: 10_000, pace: 'clock' };

  it('gives each event by the clock, and no earlier', async () => {
    const log = recordedLog();
    const clock = virtualClock(5_000);
    const source = await bindSource(nexmark, paced).open(testContext(log, { clock }));
    const atMs = (events: number) => (events * 1_000) / paced.rate;
    const given: number[] = [];
    while (!log.ended) {
      await clock.advance(1);
      given.push(log.events.length);
      expect(log.events.length).toBeLessThanOrEqual(paced.events);
      // The newest that is out was due: number n at n / rate seconds.
      expect(atMs(log.events.length - 1)).toBeLessThanOrEqual(clock.now() - 5_000);
    }
    // Ten of each millisecond, in requests of their own.
    expect(given.slice(0, 3)).toEqual([10, 20, 30]);
    expect(log.requests.every(({ columns }) => columns?.events.length === 10)).toBe(true);
    await source.close();
  });

  it('goes on by the clock after a restart, with the next event at once', async () => {
    const log = recordedLog();
    const clock = virtualClock(5_000);
    const first = testContext(log, { clock });
    const source = await bindSource(nexmark, paced).open(first);
    await pass(clock, 20);
    first.stop.abort();
    await source.close();
    const accepted = log.events.length;
    await clock.advance(60_000);
    const again = await bindSource(nexmark, paced).open(testContext(log, { clock }));
    await pass(clock, 10);
    await until(() => log.events.length === accepted + 100);
    while (!log.ended) await clock.advance(1);
    expect(log.events).toHaveLength(paced.events);
    await again.close();
  });

  it('makes up for what should be out when its moment has passed', async () => {
    const log = recordedLog();
    const clock = virtualClock(Date.parse('2026-03-02T07:00:00.050Z'));
    const from = { ...paced, pace: '2026-03-02T07:00:00Z' };
    const source = await bindSource(nexmark, from).open(testContext(log, { clock }));
    await until(() => log.events.length === 500);
    await pass(clock, 10);
    await until(() => log.events.length === 600);
    while (!log.ended) await clock.advance(1);
    await source.close();
  });

  it('makes up for what the log did not take, by the clock too', async () => {
    const log = recordedLog();
    const clock = virtualClock(0);
    let refusals = 0;
    log.before = () => {
      if (log.requests.length !== 3 || refusals > 0) return;
      refusals++;
      throw new Error('the disk is full');
    };
    const source = await bindSource(nexmark, paced).open(testContext(log, { clock }));
    while (!log.ended) await clock.advance(1);
    expect(refusals).toBe(1);
    const generator = openGenerator({ seed: 7, rate: 10_000, disorder: 1 });
    expect(log.events.map(({ event }) => event)).toEqual(
      positions.slice(0, paced.events).map((position) => generator.eventAt(position)),
    );
    await source.close();
  });

  it('knows no other pace', () => {
    expect(() => bindSource(nexmark, { ...paced, pace: 'soon' })).toThrow();
  });
});
