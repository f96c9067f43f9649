/** Group commit, refusals, order: a source runner on a log in memory, in virtual time. */
import { describe, expect, it } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { limits } from '../limits.ts';
import { idsOf, lastAsColumns, openRunner, request } from './source-runner.fixture.ts';

describe('group commit', () => {
  it('makes one message of what many senders deliver together, and answers all of them after it', async () => {
    const { runner, sources, clock } = await openRunner();
    let answered = 0;
    for (let sender = 0; sender < 50; sender++) {
      void runner.append(request(`H${sender}`, [`e${sender}`], { mark: `m${sender}` })).then(() => answered++);
    }
    expect(answered).toBe(0);
    expect(sources()).toHaveLength(0);
    await clock.advance(0);
    expect(answered).toBe(50);
    expect(sources()).toHaveLength(1);
    expect(sources()[0]?.segments[7]).toEqual({ origin: 'H7', events: 1, mark: 'm7' });
    expect(runner.counts).toMatchObject({ accepted: 50, frames: 1, failures: 0 });
  });

  it('answers nobody while the outcome is open, and fills the next message meanwhile', async () => {
    const faults = faultPlan(1, { acknowledgementLost: 1 });
    const { runner, sources, clock } = await openRunner({ faults });
    const answers: string[] = [];
    for (const id of ['a', 'b']) void runner.append(request('H1', [id])).then(() => answers.push(id));
    await clock.advance(100);
    void runner.append(request('H2', ['c'])).then(() => answers.push('c'));
    await clock.advance(100);
    // Stored, but nobody knows it yet.
    expect(sources()).toHaveLength(1);
    expect(answers).toEqual([]);
    faults.stop();
    await clock.advance(limits.appendAttemptMs);
    expect(answers).toEqual(['a', 'b', 'c']);
    expect(sources().map(({ events }) => events.length)).toEqual([2, 1]);
  });

  it('keeps the order of requests over many messages', async () => {
    const { runner, ids, clock } = await openRunner();
    const sent = idsOf('e', 300);
    const done = Promise.all(sent.map((id) => runner.append(request('H1', [id]))));
    await clock.advance(10);
    await done;
    expect(ids()).toEqual(sent);
  });

  it('waits for more for a moment, unless the message is full', async () => {
    const { runner, sources } = await openRunner({ windowMs: 2 ** 31 - 1 });
    const half = limits.frameEventsMax / 2;
    const first = runner.append(request('H1', idsOf('a', half)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sources()).toEqual([]);
    await Promise.all([first, runner.append(request('H2', idsOf('b', half)))]);
    expect(sources().map(({ events }) => events.length)).toEqual([limits.frameEventsMax]);
  });

  it('refuses the group of a failed append and what its origins sent after it, and nothing else', async () => {
    const faults = faultPlan(1, { full: 1 });
    const { runner, ids, clock } = await openRunner({ faults });
    // It knows its place in the log.
    await clock.advance(0);
    const outcomes: string[] = [];
    const send = (origin: string, id: string) =>
      void runner.append(request(origin, [id])).then(
        () => outcomes.push(`${id} stored`),
        (error) => outcomes.push(`${id} ${error.code}`),
      );
    send('H1', 'a');
    await Promise.resolve();
    await Promise.resolve();
    send('H1', 'b');
    send('H2', 'c');
    faults.stop();
    await clock.advance(10);
    expect(outcomes).toEqual(['a MACH3004', 'b MACH3004', 'c stored']);
    send('H1', 'd');
    await clock.advance(10);
    expect(ids()).toEqual(['c', 'd']);
    expect(runner.waitingEvents).toBe(0);
    expect(runner.counts.failures).toBe(1);
  });

  it.each([0, 7, 20])(
    'splits a request, %d of it columns, that is larger than a message; its mark and dead letters stand in the last part',
    async (count) => {
      const { runner, sources, ids, clock } = await openRunner();
      const long = 'x'.repeat(limits.frameBytesMax / 8);
      const sent = idsOf(long, 20);
      const dead = { code: 'MACH9901', reason: 'not a pulse', raw: new Uint8Array([1]), place: { line: 3 } };
      const whole = request('H1', sent, { mark: 'm', id: 'r', deadLetters: [dead] });
      const done = runner.append({ ...whole, ...lastAsColumns(whole.events, count) });
      await clock.advance(10);
      await done;
      expect(ids()).toEqual(sent);
      const frames = sources();
      expect(frames.length).toBeGreaterThan(2);
      expect(frames.map(({ segments }) => segments[0]?.mark)).toEqual([...frames.slice(1).map(() => undefined), 'm']);
      expect(new Set(frames.map(({ segments }) => segments[0]?.id)).size).toBe(frames.length);
      expect(frames.map(({ deadLetters }) => deadLetters.length)).toEqual([...frames.slice(1).map(() => 0), 1]);
    },
  );

  it('keeps with each part of a request the lines of its own events', async () => {
    const { runner, sources, clock } = await openRunner();
    const whole = request('H1', idsOf('x'.repeat(limits.frameBytesMax / 8), 21), { place: { file: 'beds.csv' } });
    const numbered = whole.events.map((one, at) => (at === 4 ? one : { ...one, line: 2 * at + 2 }));
    const done = runner.append({ ...whole, ...lastAsColumns(numbered, 7) });
    await clock.advance(10);
    await done;
    const segments = sources().flatMap((frame) => frame.segments);
    expect(segments.length).toBeGreaterThan(2);
    const told = segments.flatMap(({ events, place, lines = [] }) =>
      Array.from({ length: events }, (_, at) => ({ ...place, line: lines[at] })),
    );
    expect(told.slice(0, 14)).toEqual(numbered.slice(0, 14).map(({ line = null }) => ({ file: 'beds.csv', line })));
    // Columns have neither.
    expect(told.slice(14).every(({ line }) => line === undefined)).toBe(true);
    await runner.append(request('H2', ['y']));
    expect(sources().at(-1)?.segments).toEqual([{ origin: 'H2', events: 1 }]);
  });

  it.each([0, 1])('cuts dead letters that are too much for a message, with %d events', async (events) => {
    const { runner, sources, ids, clock } = await openRunner();
    const raw = new Uint8Array(limits.deadLetterBytesMax);
    const deadLetters = Array.from({ length: 20 }, (_, line) => ({
      code: 'MACH9901',
      reason: 'not a pulse',
      raw,
      place: { line },
    }));
    const sent = idsOf('a', events);
    const done = runner.append(request('H1', sent, { mark: 'm', id: 'r', deadLetters }));
    await clock.advance(10);
    await done;
    expect(ids()).toEqual(sent);
    const frames = sources();
    expect(frames.length).toBeGreaterThan(1);
    expect(frames.flatMap((frame) => frame.deadLetters.map(({ place }) => place.line))).toEqual(
      deadLetters.map(({ place }) => place.line),
    );
    expect(frames.map(({ segments }) => segments[0]?.mark)).toEqual([...frames.slice(1).map(() => undefined), 'm']);
  });

  it('refuses an event that is larger than a message (MACH3202), and stores what stood beside it', async () => {
    const { runner, ids, clock } = await openRunner();
    const large = runner.append(request('H1', ['x'.repeat(limits.frameBytesMax + 1)]));
    large.catch(() => undefined);
    const small = runner.append(request('H2', ['a']));
    await clock.advance(10);
    await expect(large).rejects.toMatchObject({ code: 'MACH3202', data: { max: limits.rowBytesMax } });
    await small;
    expect(ids()).toEqual(['a']);
  });

  it('answers what it owes before it closes, and takes nothing after', async () => {
    const { runner, ids, clock } = await openRunner();
    const owed = runner.append(request('H1', ['a']));
    const closed = runner.close();
    await clock.advance(10);
    await owed;
    await closed;
    expect(ids()).toEqual(['a']);
    await expect(runner.append(request('H1', ['b']))).rejects.toThrow('source adt is closing');
  });

  it('gives events alike, one by one or as columns, whoever else sends with them', async () => {
    const { runner, sources, clock } = await openRunner();
    const whole = request('H1', idsOf('a', 6), { mark: 'm' });
    const raw = { ...(whole.events[0] as (typeof whole.events)[number]), raw: 'as it was sent' };
    const requests = [
      { ...whole, ...lastAsColumns(whole.events, 6) },
      { ...whole, ...lastAsColumns(whole.events, 2) },
      { ...whole, events: [raw, ...whole.events.slice(1)] },
    ];
    for (const one of requests) {
      const alone = runner.append(one);
      await clock.advance(10);
      await alone;
    }
    const together = requests.map((one) => runner.append(one));
    await clock.advance(10);
    await Promise.all(together);
    const frames = sources();
    expect(frames.map(({ segments }) => segments.map(({ events }) => events))).toEqual([[6], [6], [6], [6, 6, 6]]);
    const expected = whole.events.map(({ event, time }) => ({ event, time }));
    const given = frames.flatMap(({ events, times }) => events.map((event, at) => ({ event, time: times[at] })));
    expect(given).toEqual([1, 2, 3, 4, 5, 6].flatMap(() => expected));
    expect(runner.counts.accepted).toBe(36);
  });

  it('takes times further ahead than limits.futureTimeMs for now', async () => {
    const { runner, sources, clock } = await openRunner();
    const far = clock.now() + 30 * limits.futureTimeMs;
    const event = { id: 'a', hospital: 'H1', value: 1, patient: null };
    const done = runner.append({ origin: 'H1', events: [{ event, time: far }] });
    await clock.advance(10);
    await done;
    expect(sources()[0]?.times).toEqual([1_700_000_000_000]);
    expect(runner.counts.futureTimes).toBe(1);
  });
});
