import { connect } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import { withNats } from '../../runtime/testing/with-nats.ts';
import { bindSink, bindSource } from '../testing/bind.ts';
import { sinkRows, testSinkContext } from '../testing/sink-context.ts';
import { recordedLog, testContext, until } from '../testing/source-context.ts';
import { natsSink, natsSource } from './index.ts';
import { natsLimits } from './limits.ts';

const at = Date.UTC(2026, 2, 2);
const schema = {
  hospital: 'string',
  people: { type: 'int', unit: 'people' },
  at: 'timestamp',
  note: 'string?',
  state: { type: 'string', values: ['open', 'shut'], nullable: true },
};
const source = { subject: 'sensors.*.people', schema, time: 'at', origin: 'hospital' };

describe('source', () => {
  it('takes JSON, tells those who ask, and makes dead letters of the rest', async () => {
    await withNats(async ({ url }) => {
      const log = recordedLog();
      const running = await bindSource(natsSource, { ...source, url }).open(
        testContext(log, { clock: virtualClock(at) }),
      );
      const client = await connect({ servers: url });
      const send = (value: unknown) =>
        client.request('sensors.a.people', typeof value === 'string' ? value : JSON.stringify(value), {
          timeout: 5_000,
        });
      const good = { hospital: 'H1', people: 3, at: '2026-03-02T07:00:00+07:00', more: 1 };
      expect((await send(good)).json()).toEqual({ stored: true });
      expect((await send([good, { ...good, people: 4, at, note: 'x', state: 'open' }])).json()).toEqual({
        stored: true,
      });
      client.publish('sensors.b.people', JSON.stringify(good));
      client.publish('sensors.b.c.people', JSON.stringify(good));
      await until(() => log.events.length === 4);
      expect(log.events.map(({ event }) => event.people)).toEqual([3, 3, 4, 3]);
      expect(log.events[2]).toMatchObject({
        time: at,
        event: { hospital: 'H1', people: 4, at, note: 'x', state: 'open' },
      });
      const bad = [
        '{',
        'Nguyễn Văn Thử',
        'null',
        { ...good, people: 1.5 },
        { ...good, at: '2026-03-02' },
        { people: 1 },
        { ...good, state: 'ajar' },
        [good, 7],
      ];
      for (const value of bad)
        expect((await send(value)).json<{ stored: boolean; error: string }>().error).toContain('MACH2302');
      expect(log.deadLetters.map(({ reason }) => reason)).toEqual([
        expect.stringContaining('it is not JSON'),
        "the message is not usable: it is not JSON: Unexpected token 'N'",
        'the message is not usable: it is not a JSON object',
        'the message is not usable: people is 1.5, not a whole number',
        'the message is not usable: at is "2026-03-02", not a time: ISO 8601 with its zone, or ms since 1970',
        'the message is not usable: hospital is missing',
        'the message is not usable: state is "ajar", not one of open, shut',
        'the message is not usable: it is not a JSON object',
      ]);
      expect(log.deadLetters[7]?.place).toEqual({ subject: 'sensors.a.people', item: 1 });
      expect(log.events).toHaveLength(4);
      await client.close();
      await running.close();
    });
  });

  it('shares a queue group, and stores what the server had sent before it closes', async () => {
    await withNats(async ({ url }) => {
      const logs = [recordedLog(), recordedLog()];
      const options = { ...source, url, queue: 'engines', subject: 'people' };
      const running = await Promise.all(
        logs.map((log) => bindSource(natsSource, options).open(testContext(log, { clock: virtualClock(at) }))),
      );
      const client = await connect({ servers: url });
      for (let people = 0; people < 2_000; people++)
        client.publish('people', JSON.stringify({ hospital: 'H', people, at }));
      await client.flush();
      for (const one of running) await one.close();
      const stored = logs.flatMap((log) => log.events.map(({ event }) => event.people as number));
      expect(stored.sort((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
      expect(logs.every((log) => log.events.length > 0)).toBe(true);
      await client.close();
    });
  });

  it('drops and counts beyond its bound, and tells those who ask that the log failed', async () => {
    await withNats(async ({ url }) => {
      const log = recordedLog();
      let release = () => {};
      log.before = () => new Promise((resolve) => (release = resolve));
      const running = await bindSource(natsSource, { ...source, url, subject: 'people', pending: 5 }).open(
        testContext(log, { clock: virtualClock(at) }),
      );
      const client = await connect({ servers: url });
      const message = JSON.stringify({ hospital: 'H', people: 1, at });
      client.publish('people', message);
      await until(() => log.before !== undefined);
      for (let i = 0; i < 100; i++) client.publish('people', message);
      await client.flush();
      await until(() => (log.counts.get('messages_dropped_total') ?? 0) > 0);
      log.before = () => {
        throw new Error('disk full');
      };
      release();
      await until(() => running.problem?.() != null);
      const answer = await client.request('people', message, { timeout: 5_000 });
      expect(answer.json()).toEqual({ stored: false, error: 'MACH2306 the message could not be stored' });
      expect(running.problem?.()).toContain('disk full');
      await client.close();
      await running.close();
    });
  });

  it('tells each who asks of its own origin, where the log takes one and refuses another', async () => {
    await withNats(async ({ url }) => {
      const log = recordedLog();
      let release = () => {};
      let isHeld = false;
      log.before = () =>
        new Promise((resolve) => {
          release = resolve;
          isHeld = true;
        });
      const running = await bindSource(natsSource, { ...source, url, subject: 'people' }).open(
        testContext(log, { clock: virtualClock(at) }),
      );
      const client = await connect({ servers: url });
      const message = (hospital: string) => JSON.stringify({ hospital, people: 1, at });
      client.publish('people', message('H0'));
      await until(() => isHeld);
      const answers = ['H1', 'H2'].map((hospital) =>
        client.request('people', message(hospital), { timeout: 20_000 }).then((answer) => answer.json()),
      );
      await client.flush();
      // The server has passed on both before it answers this.
      await expect(client.request('nobody', '', { timeout: 20_000 })).rejects.toThrow();
      log.before = ({ origin }) => {
        if (origin === 'H2') throw new Error('too much waits');
      };
      release();
      expect(await Promise.all(answers)).toEqual([
        { stored: true },
        { stored: false, error: 'MACH2306 the message could not be stored' },
      ]);
      expect(log.events.map(({ event }) => event.hospital)).toEqual(['H0', 'H1']);
      expect(log.counts.get('messages_dropped_total')).toBe(1);
      expect(log.counts.get('messages_total')).toBe(2);
      await client.close();
      await running.close();
    });
  });

  it('holds no more bytes than its bound, and answers those who ask at once', async () => {
    await withNats(async ({ url }) => {
      const log = recordedLog();
      let release = () => {};
      log.before = () => new Promise((resolve) => (release = resolve));
      const running = await bindSource(natsSource, { ...source, url, subject: 'people' }).open(
        testContext(log, { clock: virtualClock(at) }),
      );
      const client = await connect({ servers: url });
      const large = JSON.stringify({ hospital: 'H', people: 1, at, note: 'x'.repeat(1_000_000) });
      const fitting = Math.floor(natsLimits.pendingBytesMax / large.length);
      for (let i = 0; i < fitting + 3; i++) client.publish('people', large);
      const answer = await client.request('people', large, { timeout: 20_000 });
      expect(answer.json()).toEqual({ stored: false, error: 'MACH2306 the message could not be stored' });
      expect(log.counts.get('messages_dropped_total')).toBe(4);
      log.before = () => {};
      release();
      await until(() => log.events.length === fitting);
      expect((await client.request('people', large, { timeout: 20_000 })).json()).toEqual({ stored: true });
      await client.close();
      await running.close();
    });
  });

  it('decodes lines of a file and says what is wrong with its options', async () => {
    const bound = bindSource(natsSource, { ...source, url: 'nats://127.0.0.1:1' });
    const decoded = await bound.decode?.(Buffer.from(`{"hospital":"H","people":1,"at":${at}}\n\n{}\n`), 'f');
    expect(decoded).toMatchObject({ events: [{ time: at }], deadLetters: [{ code: 'MACH2302' }] });
    // A dead letter is a whole message, which may have lines.
    const raw = Buffer.from(`{\n  "hospital": "H",\n  "people": 1,\n  "at": ${at}\n}\n`);
    const again = await bound.redecode?.({ raw, place: { subject: 'sensors.h.people' }, acceptedAt: 0, now: 0 });
    expect(again).toMatchObject({ events: [{ event: { hospital: 'H' }, time: at }], deadLetters: [] });
    await expect(bound.probe?.()).rejects.toMatchObject({ code: 'MACH2301' });
    const bind = (options: object) => () => bindSource(natsSource, { ...source, url: 'x', ...options });
    expect(bind({ subject: 'a..b' })).toThrow('it has an empty word');
    expect(bind({ subject: 'a.>.b' })).toThrow('> stands only at the end');
    expect(bind({ origin: 'note' })).toThrow('may be absent');
  });
});

describe('sink', () => {
  const rowSchema = defineSchema({ hospital: field.string({ nullable: true }), level: field.int() });
  const rows = sinkRows([
    { hospital: 'H1', level: 2 },
    { hospital: 'H 2.*', level: 3 },
    { hospital: null, level: 4 },
  ]);

  it('publishes each row on its subject with a stable id', async () => {
    await withNats(async ({ url }) => {
      const client = await connect({ servers: url });
      const seen: [string, unknown, string | undefined][] = [];
      client.subscribe('alerts.>', {
        callback(_, message) {
          seen.push([message.subject, message.json(), message.headers?.get('Nats-Msg-Id')]);
        },
      });
      await client.flush();
      const sink = await bindSink(natsSink, { from: 'x', url, subject: 'alerts.{hospital}' }, rowSchema).open(
        testSinkContext({ clock: virtualClock(at), node: 'out' }),
      );
      expect(await sink.write(rows, 't')).toEqual([]);
      await until(() => seen.length === 3);
      expect(seen).toEqual([
        ['alerts.H1', { hospital: 'H1', level: 2 }, 'out/main/0/1/0'],
        ['alerts.H_2__', { hospital: 'H 2.*', level: 3 }, 'out/main/0/2/0'],
        ['alerts.none', { hospital: null, level: 4 }, 'out/main/0/3/0'],
      ]);
      const [large] = sinkRows([{ hospital: 'x'.repeat(20 * 1024 * 1024), level: 1 }]);
      const fixed = await bindSink(natsSink, { from: 'x', url, subject: 'large' }, rowSchema).open(
        testSinkContext({ clock: virtualClock(at) }),
      );
      expect(await fixed.write(large ? [large] : [], 't')).toMatchObject([{ code: 'MACH2305' }]);
      await fixed.close();
      await sink.close();
      await client.close();
    });
  });

  it('rejects while the server is away, so that nothing piles up in the client', async () => {
    await withNats(async ({ url, server }) => {
      const sink = await bindSink(natsSink, { from: 'x', url, subject: 'a' }, rowSchema).open(
        testSinkContext({ clock: virtualClock(at) }),
      );
      await sink.write(rows, 't');
      await server.stop();
      await expect(untilItRejects(() => sink.write(rows, 't'))).rejects.toMatchObject({ code: 'MACH2301' });
      await sink.close();
    });
  });

  it('uses the connection of the engine when it has none of its own', async () => {
    const context = testSinkContext({ clock: virtualClock(at) });
    const sink = await bindSink(natsSink, { from: 'x', subject: 'a.{level}' }, rowSchema).open(context);
    await sink.write(rows.slice(0, 1), 't');
    expect(context.published).toEqual([{ subject: 'a.2', text: '{"hospital":"H1","level":2}' }]);
    await sink.close();
  });

  it('writes times as ISO 8601, and gives back what the connection of the engine would not take', async () => {
    const schema = defineSchema({
      at: field.timestamp(),
      until: field.timestamp({ nullable: true }),
      more: field.json(),
    });
    const context = testSinkContext({ clock: virtualClock(at), publishBytesMax: 1_000 });
    const sink = await bindSink(natsSink, { from: 'x', subject: 'a' }, schema).open(context);
    const events = [
      { at, until: null, more: { at } },
      { at, until: at, more: 'x'.repeat(1_000) },
    ];
    expect(await sink.write(sinkRows(events), 't')).toMatchObject([{ code: 'MACH2305', row: { event: events[1] } }]);
    expect(context.published.map(({ text }) => JSON.parse(text))).toEqual([
      { at: new Date(at).toISOString(), until: null, more: { at } },
    ]);
    await sink.close();
  });

  it('says what is wrong with its subject', () => {
    const bind = (subject: string) => () => bindSink(natsSink, { from: 'x', subject }, rowSchema);
    expect(bind('a.{hospitl}')).toThrow('"hospitl" is not a field');
    expect(bind('a.*')).toThrow('wildcards are for sources');
    expect(bind('a b')).toThrow('it has a space');
  });
});

/** Again and again, until it rejects: the client hears of a lost connection a moment later. */
async function untilItRejects(attempt: () => Promise<unknown>): Promise<never> {
  for (;;) await attempt();
}
