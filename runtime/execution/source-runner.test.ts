/** Group commit, refusals, order, silence: a source runner on a log in memory, in virtual time. */

import { describe, expect, it, vi } from 'vitest';
import { faultPlan, noFaults } from '../bus/memory/faults.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { noCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { EventColumns } from '../stream/event-columns.ts';
import type { AppendRequest } from '../stream/source-definition.ts';
import { pulseSchema } from '../testing/small-catalogue.ts';
import { decodeInputFrame, type SilenceFrame, type SourceFrame } from './log-frame.ts';
import { startSourceRunner } from './source-runner.ts';

const spec = { name: 'in', subjects: ['in.>'], durability: 'disk' } as const;
const idleMs = 60_000;

async function openRunner(
  options: { origins?: string[]; faults?: typeof noFaults; appendDeadlineMs?: number; windowMs?: number } = {},
) {
  const clock = virtualClock(1_700_000_000_000);
  const { faults = noFaults, appendDeadlineMs = 30_000, windowMs = 0 } = options;
  const log = memoryLog({ clock, faults, appendDeadlineMs });
  const stream = await log.stream(spec);
  const runner = startSourceRunner({
    node: 'adt',
    schema: pulseSchema,
    idleMs,
    stream,
    subject: 'in.adt.0',
    clock,
    crashPoints: noCrashPoints,
    origins: options.origins ?? [],
    windowMs,
  });
  const frames = () =>
    [...(log.storage.streams.get('in')?.messages.values() ?? [])].map(({ payload }) =>
      decodeInputFrame(payload, pulseSchema),
    );
  return {
    clock,
    runner,
    stream,
    sources: () => frames().filter((frame): frame is SourceFrame => frame.kind === 'source'),
    silences: () => frames().filter((frame): frame is SilenceFrame => frame.kind === 'silence'),
    ids: () =>
      frames().flatMap((frame) => (frame.kind === 'source' ? frame.events.map((event) => String(event.id)) : [])),
  };
}

function request(origin: string, ids: readonly string[], more: Partial<AppendRequest> = {}): AppendRequest {
  const events = ids.map((id) => ({ event: { id, hospital: origin, value: 1, patient: null }, time: 1_000 }));
  return { origin, events, ...more };
}

/** The same events, so many of the last as columns. */
function lastAsColumns(all: AppendRequest['events'], count: number): Pick<AppendRequest, 'events' | 'columns'> {
  const last = all.slice(all.length - count);
  const names = ['id', 'hospital', 'value', 'patient'];
  const values = names.map((name) => last.map(({ event }) => event[name]));
  const events = new EventColumns(names, values, { length: last.length });
  return { events: all.slice(0, all.length - count), columns: { events, times: last.map(({ time }) => time) } };
}

const idsOf = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

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

  it('holds senders back at groupCommitPendingEventsMax, in order', async () => {
    const faults = faultPlan(1, { acknowledgementLost: 1 });
    const { runner, ids, clock } = await openRunner({ faults });
    const half = limits.groupCommitPendingEventsMax / 2;
    const order: string[] = [];
    const send = (prefix: string, count: number) =>
      void runner.append(request('H1', idsOf(prefix, count))).then(() => {
        order.push(prefix);
        // One that comes in the very turn in which there is room again must not overtake those that wait.
        if (prefix === 'a') send('f', 1);
      });
    for (const prefix of ['a', 'b', 'c', 'd', 'e']) send(prefix, half);
    await clock.advance(100);
    expect(runner.waitingEvents).toBe(2 * half);
    faults.stop();
    await clock.advance(limits.appendAttemptMs);
    await clock.advance(100);
    expect(order).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    const first = ids().map((id) => id.slice(0, 1));
    expect(first.filter((letter, index) => letter !== first[index - 1])).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(runner.waitingEvents).toBe(0);
  });

  it('holds senders back at groupCommitPendingBytesMax, in order', async () => {
    const faults = faultPlan(1, { acknowledgementLost: 1 });
    const { runner, ids, clock } = await openRunner({ faults });
    const raw = 'x'.repeat(1024 * 1024);
    const sent = idsOf('e', 100);
    const answers: string[] = [];
    for (const id of sent) {
      const [event] = request('H1', [id]).events as [AppendRequest['events'][number]];
      void runner.append({ origin: 'H1', events: [{ ...event, raw }] }).then(() => answers.push(id));
    }
    await clock.advance(100);
    const oneMore = raw.length + 1024;
    expect(runner.waitingBytes).toBeGreaterThanOrEqual(limits.groupCommitPendingBytesMax);
    expect(runner.waitingBytes).toBeLessThan(limits.groupCommitPendingBytesMax + oneMore);
    expect(runner.waitingEvents).toBeLessThan(sent.length);
    faults.stop();
    while (answers.length < sent.length) await clock.advance(limits.appendAttemptMs);
    expect(answers).toEqual(sent);
    expect(ids()).toEqual(sent);
    expect(runner.waitingBytes).toBe(0);
  });

  it.each([
    ['heldBackBytesMax', 32, 2 * 1024 * 1024],
    ['heldBackEventsMax', 50_000, 1],
  ] as const)(
    'refuses at once what comes beyond %s, with nothing stored; what waits is stored, what is sent again too',
    async (_, eventsOfOne, charactersOfOne) => {
      const faults = faultPlan(1, { appendLost: 1 });
      const { runner, stream, clock } = await openRunner({ faults });
      const append = stream.append.bind(stream);
      // None of it is kept: it is a lot.
      vi.spyOn(stream, 'append').mockImplementation((subject, _, options) =>
        append(subject, new Uint8Array(1), options),
      );
      const raw = 'x'.repeat(charactersOfOne);
      const answers: string[] = [];
      const send = async (mark: string) => {
        const { events } = request('H1', idsOf(mark, eventsOfOne));
        const one = { origin: 'H1', events: events.map((event) => ({ ...event, raw })), mark };
        answers.push(
          await runner.append(one).then(
            () => `${mark} stored`,
            ({ code }) => `${mark} ${code}`,
          ),
        );
      };
      const sent = idsOf('m', 8);
      const done = sent.map(send);
      // A small one would find room where a large one did not: its mark would stand before that of the large one.
      const small = runner.append(request('H1', ['small'], { mark: 'small' }));
      await expect(small).rejects.toMatchObject({ code: 'MACH3256', data: { node: 'adt' } });
      const refused = answers.splice(0);
      expect(refused.length).toBeGreaterThan(0);
      const taken = sent.slice(0, sent.length - refused.length);
      expect(refused).toEqual(sent.slice(taken.length).map((mark) => `${mark} MACH3256`));
      expect(runner.counts.refused).toBe(refused.length + 1);
      faults.stop();
      while (answers.length < taken.length) await clock.advance(limits.appendAttemptMs);
      await Promise.all(done);
      expect(answers).toEqual(taken.map((mark) => `${mark} stored`));
      const again = sent.slice(taken.length).map(send);
      await clock.advance(100);
      await Promise.all(again);
      expect(answers).toEqual(sent.map((mark) => `${mark} stored`));
      expect(runner.counts.accepted).toBe(sent.length * eventsOfOne);
      expect([runner.waitingEvents, runner.waitingBytes]).toEqual([0, 0]);
    },
  );

  it('stores a request that is sent again while it waits once, and tells both senders', async () => {
    const faults = faultPlan(1, { appendLost: 1 });
    const { runner, ids, clock } = await openRunner({ faults });
    const answers: string[] = [];
    const send = (origin: string, id: string, connection: number) =>
      void runner.append(request(origin, [id], { id })).then(() => answers.push(`${origin} ${id} ${connection}`));
    for (const connection of [1, 2, 3]) {
      for (const id of ['a', 'b']) send('H1', id, connection);
      await clock.advance(limits.appendDeadlineMs);
    }
    // Another one's, by the same name.
    send('H2', 'a', 4);
    expect(runner.waitingEvents).toBe(3);
    faults.stop();
    await clock.advance(limits.appendDeadlineMs);
    expect(ids()).toEqual(['a', 'b', 'a']);
    expect(answers.sort()).toEqual([
      ...[1, 2, 3].map((connection) => `H1 a ${connection}`),
      ...[1, 2, 3].map((connection) => `H1 b ${connection}`),
      'H2 a 4',
    ]);
  });

  it('tells all that wait when it closes and the log does not answer, without asking for each', async () => {
    const faults = faultPlan(1, { appendLost: 1 });
    const { runner, ids, clock } = await openRunner({ faults });
    const half = limits.groupCommitPendingEventsMax / 2;
    const answers: string[] = [];
    for (const origin of ['H1', 'H2', 'H3', 'H4'])
      void runner.append(request(origin, idsOf(origin, half))).catch(({ code }) => answers.push(`${origin} ${code}`));
    await clock.advance(1_000);
    const closed = runner.close();
    await clock.advance(limits.appendDeadlineMs);
    await closed;
    expect(answers.sort()).toEqual(['H1', 'H2', 'H3', 'H4'].map((origin) => `${origin} MACH3002`));
    expect(ids()).toEqual([]);
    expect([runner.waitingEvents, runner.waitingBytes]).toEqual([0, 0]);
  });

  it.each([
    ['of many senders', 1],
    ['of one', 270],
  ])('takes texts %s that no text could hold together', async (_, eventsOfOne) => {
    const { runner, stream, clock } = await openRunner();
    const stored: unknown[] = [];
    // Half a gigabyte: none of it is kept.
    vi.spyOn(stream, 'append').mockImplementation(async (_subject, payload) => {
      const frame = decodeInputFrame(payload as Uint8Array, pulseSchema) as SourceFrame;
      stored.push(...frame.events.map(({ id }) => id));
      return { sequence: stored.length, duplicate: false };
    });
    const raw = 'x'.repeat(2 * 1024 * 1024);
    const sent = idsOf('e', 270);
    const { events } = request('H1', sent);
    const large = events.map((event) => ({ ...event, raw }));
    const appends: Promise<void>[] = [];
    for (let from = 0; from < large.length; from += eventsOfOne) {
      // No more waits than heldBackBytesMax allows.
      if (appends.length % 100 === 0) await Promise.all(appends);
      appends.push(runner.append({ origin: 'H1', events: large.slice(from, from + eventsOfOne) }));
    }
    await clock.advance(10);
    await Promise.all(appends);
    expect(stored).toEqual(sent);
  });

  it('refuses an event that cannot be encoded, stores what stood beside it, and goes on', async () => {
    const { runner, ids, clock } = await openRunner();
    const event = { id: 1n, hospital: 'H1', value: 1, patient: null };
    const wrong = runner.append({ origin: 'H1', events: [{ event, time: 1_000 }] });
    wrong.catch(() => undefined);
    const right = runner.append(request('H2', ['a']));
    await clock.advance(10);
    await expect(wrong).rejects.toThrow('BigInt');
    await right;
    const alone = runner.append({ origin: 'H1', events: [{ event, time: 1_000 }] });
    alone.catch(() => undefined);
    await clock.advance(10);
    await expect(alone).rejects.toThrow('BigInt');
    await Promise.all([runner.append(request('H1', ['b'])), clock.advance(10)]);
    expect(ids()).toEqual(['a', 'b']);
    expect(runner.waitingEvents).toBe(0);
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

describe('silence', () => {
  it('is written to the log after the idle time, again while it lasts, and not once the origin speaks', async () => {
    const { runner, silences, clock } = await openRunner();
    await Promise.all([runner.append(request('H1', ['a'])), clock.advance(0)]);
    await clock.advance(idleMs - 1);
    expect(silences()).toEqual([]);
    await clock.advance(1);
    expect(silences()).toEqual([
      { kind: 'silence', at: clock.now(), idle: [{ origin: 'H1', elapsedMs: idleMs }], closed: [] },
    ]);
    await clock.advance(idleMs);
    expect(silences().map(({ idle }) => idle[0]?.elapsedMs)).toEqual([idleMs, 2 * idleMs]);
    for (let turn = 0; turn < 10; turn++) {
      await Promise.all([runner.append(request('H1', [`b${turn}`])), clock.advance(idleMs / 2)]);
    }
    expect(silences()).toHaveLength(2);
  });

  it('is said of each origin by itself', async () => {
    const { runner, silences, clock } = await openRunner();
    await Promise.all([runner.append(request('H1', ['a'])), clock.advance(0)]);
    for (let turn = 0; turn < 4; turn++) {
      await Promise.all([runner.append(request('H2', [`b${turn}`])), clock.advance(idleMs / 2)]);
    }
    const said = silences().flatMap(({ idle }) => idle.map(({ origin }) => origin));
    expect(new Set(said)).toEqual(new Set(['H1']));
  });

  it('of very many origins has several messages', async () => {
    const origins = Array.from({ length: 2 * limits.silenceOriginsMax + 1 }, (_, at) => `device ${at}`);
    const { silences, clock } = await openRunner({ origins });
    await clock.advance(idleMs);
    expect(silences().map(({ idle }) => idle.length)).toEqual([limits.silenceOriginsMax, limits.silenceOriginsMax, 1]);
    expect(silences().flatMap(({ idle }) => idle.map(({ origin }) => origin))).toEqual(origins);
  });

  it('counts origins from before a restart as heard at the start', async () => {
    const { silences, clock } = await openRunner({ origins: ['H1'] });
    await clock.advance(idleMs - 1);
    expect(silences()).toEqual([]);
    await clock.advance(idleMs);
    expect(silences()[0]?.idle).toEqual([{ origin: 'H1', elapsedMs: idleMs }]);
  });

  it('stands in the log after what the origin sent', async () => {
    const { runner, stream, clock } = await openRunner();
    const sent = runner.append(request('H1', ['a']));
    runner.originClosed('H1');
    await clock.advance(10);
    await sent;
    const kinds = [];
    for (let sequence = 1; sequence <= 2; sequence++) {
      const message = await stream.get(sequence);
      kinds.push(message && decodeInputFrame(message.payload, pulseSchema).kind);
    }
    expect(kinds).toEqual(['source', 'silence']);
  });

  it('of a failed append is said again with the next look', async () => {
    const faults = faultPlan(1, { full: 1 });
    const { silences, clock } = await openRunner({ origins: ['H1'], faults });
    await clock.advance(idleMs);
    expect(silences()).toEqual([]);
    faults.stop();
    await clock.advance(idleMs);
    expect(silences()[0]?.idle[0]?.origin).toBe('H1');
  });

  it('of a source that nobody ever used is said once, and again only when its append failed', async () => {
    const faults = faultPlan(1, { full: 1 });
    const { silences, clock } = await openRunner({ faults });
    await clock.advance(idleMs);
    expect(silences()).toEqual([]);
    faults.stop();
    await clock.advance(3 * idleMs);
    expect(silences()).toEqual([{ kind: 'silence', at: expect.any(Number), idle: [], closed: [], quiet: true }]);
  });

  it('of an origin for originForgetMs closes it, also when the first append of that failed', async () => {
    const { silences, clock, runner, stream } = await openRunner({ origins: ['H1', 'H2'] });
    const append = stream.append.bind(stream);
    await clock.advance(limits.originForgetMs - idleMs);
    void runner.append(request('H2', ['a']));
    await clock.advance(1_000);
    Object.assign(stream, { append: () => Promise.reject(new Error('the disk is full')) });
    await clock.advance(2 * idleMs);
    expect(silences().flatMap(({ closed }) => closed)).toEqual([]);
    Object.assign(stream, { append });
    await clock.advance(2 * idleMs);
    expect(silences().flatMap(({ closed }) => closed)).toEqual(['H1']);
  });
});
