import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import type { RunningSource, Schema } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext } from '../testing/source-context.ts';
import { alertActions } from './index.ts';

const now = Date.parse('2026-03-02T07:00:00+07:00');
const acknowledge = { action: 'acknowledge', alert_id: 'crowding/H8/t', by: 'Nguyễn Văn Thử' };
let source: RunningSource | undefined;

async function start(options: object = {}) {
  const log = recordedLog();
  source = await bindSource(alertActions, { listen: 0, ...options }).open(
    testContext(log, { clock: virtualClock(now) }),
  );
  const { address } = source;
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(address, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  return { log, post, address };
}

describe('alert-actions', () => {
  afterEach(() => source?.close());

  it('answers once the action is in the log, with the name of who did it', async () => {
    const { log, post } = await start();
    const order: string[] = [];
    log.after = () => void order.push('stored');
    const response = await post(JSON.stringify(acknowledge), { 'idempotency-key': 'one' });
    order.push('answered');
    expect([response.status, await response.json()]).toEqual([200, { stored: true }]);
    expect(order).toEqual(['stored', 'answered']);
    expect(log.requests).toMatchObject([{ origin: 'people', id: expect.stringMatching(/^.{43}$/) }]);
    expect(log.events).toEqual([
      { event: { ...acknowledge, to: null, note: null }, time: now, raw: JSON.stringify(acknowledge) },
    ]);
  });

  it('is the same action only with the same key and the same text, however long the key is', async () => {
    const { log, post } = await start();
    const note = { ...acknowledge, action: 'note', note: 'giường 4' };
    for (const [action, key] of [
      [acknowledge, 'one'],
      [acknowledge, 'one'],
      [note, 'one'],
      [acknowledge, 'k'.repeat(8_000)],
    ] as const)
      expect((await post(JSON.stringify(action), { 'idempotency-key': key })).status).toBe(200);
    const ids = log.requests.map(({ id }) => id);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => id?.length === 43)).toBe(true);
  });

  it('keeps no connection whose request it did not read to its end', async () => {
    const { post } = await start();
    const response = await post('x'.repeat(2_000_000));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
  });

  it('tags everything that may name a person, the id of an alert as well: it holds the key', () => {
    const { fields } = bindSource(alertActions, { listen: 0 }).ports.out as Schema;
    const tags = Object.entries(fields).map(([name, { privacy }]) => [name, privacy]);
    expect(Object.fromEntries(tags)).toEqual({
      action: undefined,
      alert_id: 'quasi',
      by: 'quasi',
      to: 'quasi',
      note: 'quasi',
    });
  });

  it('says so when the log does not take it', async () => {
    const { log, post } = await start();
    log.before = () => {
      throw new Error('the disk is full');
    };
    const response = await post(JSON.stringify(acknowledge));
    expect([response.status, await response.json()]).toMatchObject([503, { message: 'the disk is full' }]);
    expect(log.events).toEqual([]);
  });

  it.each([
    ['{', 422],
    [JSON.stringify({ ...acknowledge, action: 'sing' }), 422],
    [JSON.stringify({ ...acknowledge, by: ' ' }), 422],
    [JSON.stringify({ ...acknowledge, action: 'assign' }), 422],
    [JSON.stringify({ ...acknowledge, action: 'note' }), 422],
    [JSON.stringify({ ...acknowledge, more: 1 }), 422],
    [JSON.stringify({ ...acknowledge, note: 'x'.repeat(20_000) }), 413],
  ])('refuses %.60s and stores nothing', async (body, status) => {
    const { log, post } = await start();
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code: 'MACH2602' });
    expect(log.requests).toEqual([]);
  });

  it('takes no form of another site, and nothing that is not posted', async () => {
    const { log, post, address } = await start();
    expect((await post(JSON.stringify(acknowledge), { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await fetch(address)).status).toBe(405);
    expect(log.requests).toEqual([]);
  });

  it('asks for a token where there are some', async () => {
    const { log, post } = await start({ tokens: ['mot-ma-truy-cap-thu-nghiem'] });
    expect((await post(JSON.stringify(acknowledge))).status).toBe(401);
    expect((await post(JSON.stringify(acknowledge), { authorization: 'Bearer wrong' })).status).toBe(401);
    const right = { authorization: 'Bearer mot-ma-truy-cap-thu-nghiem' };
    expect((await post(JSON.stringify(acknowledge), right)).status).toBe(200);
    expect(log.events).toHaveLength(1);
  });

  it('is not bound to other addresses without a token', () => {
    expect(() => bindSource(alertActions, { listen: '0.0.0.0:2580' })).toThrow('tokens');
    expect(() => bindSource(alertActions, { listen: '[::1]:2580' })).not.toThrow();
  });

  it('takes the id of an alert as it is, however long its key', async () => {
    const { log, post } = await start();
    const id = ` overload [" ${'W'.repeat(5_000)} "] `;
    expect((await post(JSON.stringify({ ...acknowledge, alert_id: id }))).status).toBe(200);
    expect(log.events.map(({ event }) => event.alert_id)).toEqual([id]);
  });

  it('refuses a page whose name leads to this machine, where no token is asked for', async () => {
    const act = (address: string, host: string, headers: Record<string, string> = {}) =>
      new Promise<number | undefined>((resolve, reject) => {
        const type = { 'content-type': 'application/json' };
        const sent = request(address, { method: 'POST', headers: { ...type, ...headers, host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject).end(JSON.stringify(acknowledge));
      });
    const open = await start();
    for (const host of ['page.example', 'page.example:2580', '127.page.example'])
      expect(await act(open.address, host), host).toBe(403);
    expect(open.log.requests).toEqual([]);
    for (const host of ['localhost:2580', '127.0.0.1', '[::1]:2580']) expect(await act(open.address, host)).toBe(200);
    await source?.close();
    // Behind a proxy the name is that of the proxy; no page has the token.
    const { address } = await start({ tokens: ['mot-ma-truy-cap-thu-nghiem'] });
    const authorization = 'Bearer mot-ma-truy-cap-thu-nghiem';
    expect(await act(address, 'boards.example', { authorization })).toBe(200);
  });

  it.each([
    '',
    'POST / HTTP/1.1\r\nhost: localhost\r\n',
    'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{',
  ])(
    'closes also while a client never ends its request: %j',
    async (text) => {
      const { address } = await start();
      const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => undefined);
      await new Promise((resolve) => socket.write(text, resolve));
      await source?.close();
      source = undefined;
      socket.destroy();
    },
    8_000,
  );

  it('says when its port is taken', async () => {
    const { address } = await start();
    const second = bindSource(alertActions, { listen: Number(new URL(address).port) });
    await expect(second.open(testContext(recordedLog(), { clock: virtualClock(now) }))).rejects.toMatchObject({
      code: 'MACH2601',
    });
  });

  it('decodes lines', async () => {
    const lines = `${JSON.stringify(acknowledge)}\n\n{}\n`;
    const bound = bindSource(alertActions, {});
    const { events, deadLetters } = (await bound.decode?.(Buffer.from(lines), 'actions.ndjson')) ?? {};
    expect(events).toMatchObject([{ event: acknowledge }]);
    expect(deadLetters).toMatchObject([{ code: 'MACH2602', place: { line: 3 } }]);
  });
});
