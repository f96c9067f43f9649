/** Notifications as Grafana posts them, over HTTP. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import type { RunningSource } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext } from '../testing/source-context.ts';
import { grafana } from './index.ts';

const token = 'a-token-of-sixteen-or-more';
const firing = {
  status: 'firing',
  labels: { alertname: 'Khoa cấp cứu quá tải', hospital: 'H8', severity: 'critical' },
  annotations: { summary: 'Khoa cấp cứu H8 ở mức 4, quá tải.', action: 'Chuyển xe cấp cứu sang nơi khác.' },
  startsAt: '2026-03-02T07:06:00.25+07:00',
  endsAt: '0001-01-01T00:00:00Z',
  values: { B: 4, C: 1 },
  generatorURL: 'http://127.0.0.1:3000/alerting/grafana/mach-department-overloaded/view',
  fingerprint: 'c6eadffa33fcdf37',
  silenceURL: 'http://127.0.0.1:3000/alerting/silence/new',
  dashboardURL: 'http://127.0.0.1:3000/d/mach-emergency',
  panelURL: '',
};
const resolved = { ...firing, status: 'resolved', endsAt: '2026-03-02T07:20:00Z' };
const notification = (...alerts: readonly object[]) =>
  JSON.stringify({ receiver: 'Trực ban', status: 'firing', orgId: 1, alerts, version: '1', truncatedAlerts: 0 });

let source: RunningSource | undefined;
afterEach(async () => {
  await source?.close();
  source = undefined;
});

async function start() {
  const log = recordedLog();
  const running = await bindSource(grafana, { listen: 0, token }).open(testContext(log, { clock: virtualClock(0) }));
  source = running;
  const post = (body: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    fetch(running.address, { method: 'POST', body, headers });
  return { log, post, address: running.address };
}

describe('grafana', () => {
  it('answers once every alert of the notification is in the log', async () => {
    const { log, post } = await start();
    const order: string[] = [];
    log.after = () => void order.push('stored');
    const { status } = await post(notification(firing, { ...resolved, fingerprint: 'b1' }));
    order.push('answered');
    expect([status, order]).toEqual([204, ['stored', 'answered']]);
    const startedAt = Date.parse(firing.startsAt);
    expect(log.events).toEqual([
      {
        time: startedAt,
        event: {
          fingerprint: 'c6eadffa33fcdf37',
          rule: 'Khoa cấp cứu quá tải',
          status: 'firing',
          severity: 'critical',
          hospital: 'H8',
          labels: firing.labels,
          summary: firing.annotations.summary,
          action: firing.annotations.action,
          started_at: startedAt,
          ended_at: null,
          url: firing.dashboardURL,
        },
      },
      {
        time: Date.parse(resolved.endsAt),
        event: expect.objectContaining({
          fingerprint: 'b1',
          status: 'resolved',
          ended_at: Date.parse(resolved.endsAt),
        }),
      },
    ]);
  });

  it.each([[{}], [{ authorization: 'Bearer something-else-as-long' }], [{ authorization: token }]])(
    'takes nothing from who has not the token: %j',
    async (headers) => {
      const { log, post } = await start();
      expect((await post(notification(firing), headers as Record<string, string>)).status).toBe(401);
      expect(log.requests).toEqual([]);
    },
  );

  it.each([
    '{',
    '{}',
    notification(),
    notification({ ...firing, startsAt: 'yesterday' }),
    notification({ labels: {} }),
  ])('keeps %s as a dead letter', async (body) => {
    const { log, post } = await start();
    const response = await post(body);
    expect(response.status).toBe(422);
    expect(await response.text()).toContain('not a notification of Grafana');
    expect(log.deadLetters).toMatchObject([{ code: 'MACH2801', raw: Buffer.from(body) }]);
  });

  it('says so when the log does not take it, so that Grafana sends it again', async () => {
    const { log, post } = await start();
    log.before = () => {
      throw new Error('the disk is full');
    };
    expect((await post(notification(firing))).status).toBe(503);
    expect(log.events).toEqual([]);
  });

  it('refuses what is too large, and what is not posted', async () => {
    const { log, post, address } = await start();
    expect((await post(' '.repeat(1024 * 1024 + 1))).status).toBe(413);
    expect((await fetch(address, { headers: { authorization: `Bearer ${token}` } })).status).toBe(405);
    expect(log.requests).toEqual([]);
  });

  it('asks for no token where it is heard by this machine alone, and for one anywhere else', async () => {
    const log = recordedLog();
    source = await bindSource(grafana, { listen: 0 }).open(testContext(log, { clock: virtualClock(0) }));
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(source.address, { method: 'POST', headers, body: notification(firing) })).status).toBe(204);
    expect(log.events).toHaveLength(1);
    expect(() => bindSource(grafana, { listen: '0.0.0.0:0' })).toThrow(/a token is needed/);
  });

  it('refuses a page whose name leads to this machine, where no token is asked for', async () => {
    const log = recordedLog();
    source = await bindSource(grafana, { listen: 0 }).open(testContext(log, { clock: virtualClock(0) }));
    const { address } = source;
    const post = (host: string, type = 'application/json') =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(address, { method: 'POST', headers: { host, 'content-type': type } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject).end(notification(firing));
      });
    expect(await post('page.example:8026')).toBe(403);
    expect(await post('localhost:8026', 'text/plain')).toBe(415);
    expect(log.events).toEqual([]);
    expect(await post('localhost:8026')).toBe(204);
  });

  it('says which address it cannot have', async () => {
    const { address } = await start();
    const port = Number(new URL(address).port);
    const second = bindSource(grafana, { listen: port, token }).open(
      testContext(recordedLog(), { clock: virtualClock(0) }),
    );
    await expect(second).rejects.toMatchObject({ code: 'MACH2803' });
  });
});
