/** What waits for the log: how much, for how long, and what becomes of it. */
import { describe, expect, it, vi } from 'vitest';
import { faultPlan } from '../bus/memory/faults.ts';
import { limits } from '../limits.ts';
import type { AppendRequest } from '../stream/source-definition.ts';
import { pulseSchema } from '../testing/small-catalogue.ts';
import { decodeInputFrame, type SourceFrame } from './log-frame.ts';
import { idsOf, openRunner, request } from './source-runner.fixture.ts';

describe('what waits for the log', () => {
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
});
