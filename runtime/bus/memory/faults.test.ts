/** The log in memory under faults from a seed, in virtual time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type VirtualClock, virtualClock } from '../../clock.ts';
import { armedCrashPoints, SimulatedCrash } from '../../faults.ts';
import type { Log, LogStream } from '../log.ts';
import { events } from '../testing/log-contract.ts';
import { type FaultPlan, faultPlan } from './faults.ts';
import { memoryLog } from './log.ts';
import { memoryStorage } from './storage.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const textOf = ({ payload }: { payload: Uint8Array }): string => new TextDecoder().decode(payload);

/** Moves time on until the work is done. */
async function inTime<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  for (let step = 0; step < 10_000 && !settled; step++) await clock.advance(100);
  if (!settled) throw new Error('not done after 1,000 s of virtual time');
  return done;
}

async function readAll(stream: LogStream): Promise<string[]> {
  const { lastSequence } = await stream.state();
  const values: string[] = [];
  if (lastSequence === 0) return values;
  for await (const message of stream.read({ fromSequence: 1 })) {
    values.push(textOf(message));
    if (message.sequence === lastSequence) break;
  }
  return values;
}

const rates = fc.record({
  acknowledgementLost: fc.double({ min: 0, max: 0.3, noNaN: true }),
  acknowledgementLate: fc.double({ min: 0, max: 0.3, noNaN: true }),
  acknowledgementTwice: fc.double({ min: 0, max: 0.2, noNaN: true }),
  appendLost: fc.double({ min: 0, max: 0.15, noNaN: true }),
  noResponders: fc.double({ min: 0, max: 0.05, noNaN: true }),
  deliveryLate: fc.double({ min: 0, max: 0.2, noNaN: true }),
  delayMaxMs: fc.integer({ min: 1, max: 20_000 }),
});

/** So few losses that no append loses every one of its attempts: where none may, its outcome is known in the end. */
const fewLosses = rates.map((drawn) => ({
  ...drawn,
  acknowledgementLost: drawn.acknowledgementLost / 3,
  appendLost: drawn.appendLost / 2,
}));

/** One run of several callers, each awaiting its appends, and one reader beside them. */
async function runSchedule(faults: FaultPlan, lanes: number, count: number) {
  const clock = virtualClock();
  const log = memoryLog({ clock, faults, appendAttemptMs: 500, appendDeadlineMs: 60_000 });
  const stream = await log.stream(events);
  const acknowledged: string[] = [];
  const unknown: string[] = [];
  const call = async (lane: number) => {
    for (let index = 0; index < count; index++) {
      const value = `${lane}/${index}`;
      await stream.append(`events.${lane}`, text(value)).then(
        ({ sequence }) => acknowledged.push(`${sequence} ${value}`),
        () => unknown.push(value),
      );
    }
  };
  const abort = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const message of stream.read({ fromSequence: 1, signal: abort.signal })) {
      seen.push(`${message.sequence} ${textOf(message)}`);
    }
  })();
  await inTime(clock, Promise.all(Array.from({ length: lanes }, (_, lane) => call(lane))));
  faults.stop();
  const last = (await stream.state()).lastSequence;
  await inTime(
    clock,
    (async () => {
      while (seen.length < last) await clock.sleep(10);
    })(),
  );
  abort.abort();
  await reading;
  return { acknowledged, unknown, seen };
}

describe('memory log under faults', () => {
  it('has everything that was acknowledged exactly once, in the order of each caller', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), rates, fc.integer({ min: 1, max: 5 }), async (seed, drawn, lanes) => {
        const count = 12;
        const { acknowledged, unknown, seen } = await runSchedule(faultPlan(seed, drawn), lanes, count);
        // Every acknowledged append is where its acknowledgement said, and nowhere else.
        for (const entry of acknowledged) expect(seen.filter((one) => one === entry)).toHaveLength(1);
        expect(acknowledged.length + unknown.length).toBe(lanes * count);
        for (let lane = 0; lane < lanes; lane++) {
          const values = seen.map((one) => one.split(' ')[1] ?? '').filter((value) => value.startsWith(`${lane}/`));
          const sorted = [...values].sort((a, b) => Number(a.split('/')[1]) - Number(b.split('/')[1]));
          expect(values).toEqual(sorted);
          expect(new Set(values).size).toBe(values.length);
        }
      }),
      { numRuns: 60 },
    ));

  it('meets every kind of fault in such runs, and repeats a run exactly for its seed', async () => {
    const drawn = {
      acknowledgementLost: 0.15,
      acknowledgementLate: 0.15,
      acknowledgementTwice: 0.1,
      appendLost: 0.1,
      noResponders: 0.05,
      deliveryLate: 0.1,
    };
    const plans = [7, 7, 8].map((seed) => faultPlan(seed, drawn));
    const runs = [];
    for (const plan of plans) runs.push(await runSchedule(plan, 4, 40));
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
    expect([...(plans[0]?.counts.keys() ?? [])].sort()).toEqual([
      'acknowledgement-late',
      'acknowledgement-lost',
      'acknowledgement-twice',
      'append-lost',
      'delivery-late',
      'no-responders',
    ]);
  });

  it('stores appends that are not awaited once each, and completes them in the order of the calls', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), fewLosses, async (seed, drawn) => {
        const clock = virtualClock();
        const log = memoryLog({
          clock,
          faults: faultPlan(seed, drawn),
          appendAttemptMs: 500,
          appendDeadlineMs: 600_000,
        });
        const stream = await log.stream(events);
        const completed: number[] = [];
        const appends = Array.from({ length: 50 }, (_, index) =>
          stream.append('events.a', text(`${index}`)).then(() => completed.push(index)),
        );
        await inTime(clock, Promise.all(appends));
        expect(completed).toEqual(Array.from({ length: 50 }, (_, index) => index));
        const quiet = memoryLog({ clock, storage: log.storage });
        const values = await readAll(await quiet.stream(events));
        expect(values.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
      }),
      { numRuns: 40 },
    ));

  it('keeps a fenced chain whole: a lost acknowledgement neither forks nor doubles it', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), fewLosses, async (seed, drawn) => {
        const clock = virtualClock();
        const log = memoryLog({
          clock,
          faults: faultPlan(seed, drawn),
          appendAttemptMs: 500,
          appendDeadlineMs: 600_000,
        });
        const stream = await log.stream(events);
        const chain = async () => {
          let expected = 0;
          for (let index = 0; index < 20; index++) {
            const fence = { id: `out/${index}`, expectedLastSubjectSequence: expected };
            expected = (await stream.append('events.out', text(`${index}`), fence)).sequence;
          }
        };
        await inTime(clock, chain());
        const quiet = await memoryLog({ clock, storage: log.storage }).stream(events);
        expect(await readAll(quiet)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`));
      }),
      { numRuns: 40 },
    ));

  it('recognises its own append behind a fence when the duplicate window has passed', async () => {
    const clock = virtualClock();
    const storage = memoryStorage();
    const stream = await memoryLog({ clock, storage }).stream(events);
    const fence = { id: 'mine', expectedLastSubjectSequence: 0 };
    expect(await stream.append('events.a', text('1'), fence)).toEqual({ sequence: 1, duplicate: false });
    await clock.advance(24 * 3_600_000);
    expect(await stream.append('events.a', text('1'), fence)).toEqual({ sequence: 1, duplicate: true });
    await expect(stream.append('events.a', text('2'), { ...fence, id: 'foreign' })).rejects.toThrow('Another owner');
  });

  it('gives up with an unknown outcome at the deadline (MACH3002)', async () => {
    const clock = virtualClock();
    const stream = await memoryLog({ clock, faults: faultPlan(1, { appendLost: 1 }) }).stream(events);
    const lost = stream.append('events.a', text('1'));
    lost.catch(() => undefined);
    await clock.advance(29_999);
    expect(await Promise.race([lost, 'waiting'])).toBe('waiting');
    await clock.advance(1);
    await expect(lost).rejects.toMatchObject({ code: 'MACH3002' });
    expect(clock.pending).toBe(0);
  });

  it('says that the log is full (MACH3004)', async () => {
    const stream = await memoryLog({ clock: virtualClock(), faults: faultPlan(1, { full: 1 }) }).stream(events);
    await expect(stream.append('events.a', text('1'))).rejects.toMatchObject({ code: 'MACH3004' });
  });

  it('expires by age, and says so to a reader that comes late (MACH3005)', async () => {
    const clock = virtualClock();
    const stream = await memoryLog({ clock }).stream({ ...events, ageMaxMs: 1000 });
    await stream.append('events.a', text('1'));
    await clock.advance(1001);
    await stream.append('events.a', text('2'));
    const first = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]().next();
    await expect(first).rejects.toMatchObject({ code: 'MACH3005', data: { from: 1, to: 1, firstSequence: 2 } });
  });

  it('says that its storage was wiped (MACH3006), to a reader that waits and to one that comes back', async () => {
    const clock = virtualClock();
    const log = memoryLog({ clock });
    const stream = await log.stream(events);
    await stream.append('events.a', text('1'));
    const waiting = stream.read({ fromSequence: 2 })[Symbol.asyncIterator]().next();
    waiting.catch(() => undefined);
    await clock.advance(0);
    log.storage.wipe('events');
    await expect(waiting).rejects.toMatchObject({ code: 'MACH3006' });
    const again = await log.stream(events);
    await expect(again.read({ fromSequence: 2 })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'MACH3006',
    });
  });
});

describe('crash of a client', () => {
  const neverSettles = async (clock: VirtualClock, work: Promise<unknown>) => {
    let settled = false;
    work.then(
      () => {
        settled = true;
      },
      () => {
        settled = true;
      },
    );
    await clock.advance(120_000);
    return !settled;
  };

  it('completes nothing of the dead client, keeps what was stored, and lets the next one go on', async () => {
    const clock = virtualClock();
    const storage = memoryStorage();
    const points = armedCrashPoints(() => dead.crash());
    const dead = memoryLog({ clock, storage });
    const stream = await dead.stream(events);
    const work = async (log: Log) => {
      for (let index = 0; index < 3; index++) {
        points.at('work.before-append');
        await (await log.stream(events)).append('events.a', text(`${index}`));
      }
    };
    points.arm('work.before-append', 3);
    await expect(work(dead)).rejects.toBeInstanceOf(SimulatedCrash);
    expect(points.visits.get('work.before-append')).toBe(3);
    expect(() => points.at('elsewhere')).toThrow('simulated crash at work.before-append, visit 3');

    const reading = stream.read({ fromSequence: 1 })[Symbol.asyncIterator]().next();
    for (const never of [reading, stream.append('events.a', text('ghost')), stream.state(), dead.close()]) {
      expect(await neverSettles(clock, never)).toBe(true);
    }
    const next = await memoryLog({ clock, storage }).stream(events);
    await next.append('events.a', text('2'));
    expect(await readAll(next)).toEqual(['0', '1', '2']);
  });

  it('leaves an append in flight stored or not, and never acknowledged', async () => {
    const clock = virtualClock();
    const storage = memoryStorage();
    const dead = memoryLog({ clock, storage, faults: faultPlan(3, { acknowledgementLate: 1 }) });
    const pending = (await dead.stream(events)).append('events.a', text('1'));
    dead.crash();
    expect(await neverSettles(clock, pending)).toBe(true);
    const next = await memoryLog({ clock, storage }).stream(events);
    expect(await readAll(next)).toEqual(['1']);
  });
});
