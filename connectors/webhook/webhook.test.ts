import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import { bindSink } from '../testing/bind.ts';
import { sinkRows, type TestSinkContext, testSinkContext } from '../testing/sink-context.ts';
import { webhook } from './index.ts';
import { parseRetryAfter } from './post.ts';

const schema = defineSchema({ n: field.int() });
const certificates = fileURLToPath(new URL('../testing/certificates/', import.meta.url));

interface Seen {
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly body: unknown;
  readonly text: string;
}
type Answer = (seen: Seen, response: ServerResponse, count: number) => void;

const ok: Answer = (_, response) => response.end();
const status =
  (code: number, headers: Record<string, string> = {}, text = ''): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(text);

/** A real receiver that answers as told. */
async function withReceiver(
  answer: Answer,
  run: (args: { url: string; seen: Seen[] }) => Promise<void>,
  tls?: { cert: Buffer; key: Buffer },
): Promise<void> {
  const seen: Seen[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (text += part));
    request.on('end', () => {
      const one: Seen = { headers: request.headers, url: request.url ?? '', text, body: JSON.parse(text) };
      seen.push(one);
      answer(one, response, seen.length);
    });
  };
  const server = tls ? createTlsServer(tls, handle) : createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await run({ url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}/hook`, seen });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Real time, but waits that pass at once and are written down. */
function hurried(): { clock: Clock; slept: number[] } {
  const slept: number[] = [];
  const clock: Clock = {
    ...systemClock(),
    async sleep(delayMs, signal) {
      signal?.throwIfAborted();
      slept.push(delayMs);
    },
  };
  return { clock, slept };
}

async function open(options: object, rowSchema = schema) {
  const { clock, slept } = hurried();
  const context: TestSinkContext = testSinkContext({ clock, node: 'hook' });
  const sink = await bindSink(webhook, { from: 'x', ...options }, rowSchema, certificates).open(context);
  return { sink, context, slept };
}

const rows = (count: number) => sinkRows(Array.from({ length: count }, (_, i) => ({ n: i + 1 })));
const numbers = (seen: readonly Seen[]) => seen.map(({ body }) => (body as { n: number }[]).map(({ n }) => n));

describe('webhook', () => {
  it('sends batches in order, each with a key of its own, and the same keys again', async () => {
    await withReceiver(ok, async ({ url, seen }) => {
      const { sink } = await open({ url, rows: 2, headers: { authorization: 'Bearer made-up' } });
      expect(await sink.write(rows(5), 'token-1')).toEqual([]);
      expect(numbers(seen)).toEqual([[1, 2], [3, 4], [5]]);
      const keys = seen.map(({ headers }) => headers['idempotency-key']);
      expect(keys).toEqual(['token-1#0', 'token-1#2', 'token-1#4']);
      expect(seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer made-up' });
      await sink.close();
      const again = await open({ url, rows: 2 });
      await again.sink.write(rows(5), 'token-1');
      expect(seen.slice(3).map(({ headers }) => headers['idempotency-key'])).toEqual(keys);
      await again.sink.close();
    });
  });

  it.each(['batch', 'row'])('writes times as ISO 8601, in a %s', async (send) => {
    const timed = defineSchema({
      at: field.timestamp(),
      until: field.timestamp({ nullable: true }),
      wait: field.duration(),
    });
    const at = Date.UTC(2026, 2, 2);
    await withReceiver(ok, async ({ url, seen }) => {
      const context = testSinkContext({ clock: systemClock() });
      const sink = await bindSink(webhook, { from: 'x', url, send }, timed).open(context);
      await sink.write(sinkRows([{ at, until: null, wait: 90_000 }]), 't');
      const row = { at: '2026-03-02T00:00:00.000Z', until: null, wait: 90_000 };
      expect(seen.map(({ body }) => body)).toEqual([send === 'row' ? row : [row]]);
      await sink.close();
    });
  });

  it('sends single rows with the identity of the row', async () => {
    await withReceiver(ok, async ({ url, seen }) => {
      const { sink } = await open({ url, send: 'row', concurrency: 3 });
      await sink.write(rows(7), 't');
      expect(seen.map(({ body }) => (body as { n: number }).n).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(seen.map(({ headers }) => headers['idempotency-key'])).toContain('hook/main/0/3/0');
      await sink.close();
    });
  });

  it('tries again after failures, with the same key and growing waits', async () => {
    const answers: Answer[] = [status(500), (_, response) => void response.socket?.destroy(), status(503), ok];
    await withReceiver(
      (one, response, count) => answers[count - 1]?.(one, response, count),
      async ({ url, seen }) => {
        const { sink, slept, context } = await open({ url });
        expect(await sink.write(rows(1), 't')).toEqual([]);
        expect(new Set(seen.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set(['t#0']));
        expect(seen).toHaveLength(4);
        expect(slept).toHaveLength(3);
        for (const [attempt, delayMs] of slept.entries()) {
          expect(delayMs).toBeGreaterThanOrEqual(100 * 2 ** attempt);
          expect(delayMs).toBeLessThanOrEqual(200 * 2 ** attempt);
        }
        expect(context.counts.get('requests_total failed')).toBe(3);
        await sink.close();
      },
    );
  });

  it('waits as long as it is asked to', async () => {
    await withReceiver(
      (one, response, count) => (count === 1 ? status(429, { 'retry-after': '7' }) : ok)(one, response, count),
      async ({ url }) => {
        const { sink, slept } = await open({ url });
        await sink.write(rows(1), 't');
        expect(slept).toEqual([7_000]);
        await sink.close();
      },
    );
    expect(parseRetryAfter('Mon, 02 Mar 2026 00:00:30 GMT', Date.UTC(2026, 2, 2))).toBe(30_000);
    expect(parseRetryAfter('999999', 0)).toBe(600_000);
    expect(parseRetryAfter('soon', 0)).toBe(null);
  });

  it('gives up on a receiver that hangs, and says so', async () => {
    await withReceiver(
      () => {},
      async ({ url, seen }) => {
        const { sink } = await open({ url, timeout: '50ms', attempts: 2 });
        await expect(sink.write(rows(1), 't')).rejects.toMatchObject({
          code: 'MACH2402',
          message: expect.stringContaining('no answer within 50 ms'),
        });
        expect(seen).toHaveLength(2);
        await sink.close();
      },
    );
  });

  it('makes dead letters of what is refused for good, alone where it can be found', async () => {
    const answer: Answer = ({ body }, response) => {
      const bad = (body as { n: number }[]).some(({ n }) => n === 3);
      response.writeHead(bad ? 422 : 204).end(bad ? 'n must not be 3' : '');
    };
    await withReceiver(answer, async ({ url, seen }) => {
      const { sink } = await open({ url });
      const refused = await sink.write(rows(5), 't');
      expect(refused.map(({ row, code, reason }) => [row.event.n, code, reason])).toEqual([
        [3, 'MACH2401', 'the receiver refused the rows for good: 422 n must not be 3'],
      ]);
      const taken = seen.filter(({ body }) => !(body as { n: number }[]).some(({ n }) => n === 3));
      expect(numbers(taken).flat().sort()).toEqual([1, 2, 4, 5]);
      expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(seen.length);
      await sink.close();
    });
    await withReceiver(status(403, {}, 'who are you'), async ({ url, seen }) => {
      const { sink } = await open({ url });
      expect(await sink.write(rows(5), 't')).toHaveLength(5);
      expect(seen).toHaveLength(1);
      await sink.close();
    });
  });

  it('says nothing of what the receiver answers to rows about people', async () => {
    const person = defineSchema({ n: field.int(), name: field.string({ privacy: 'direct' }) });
    const people = sinkRows([{ n: 1, name: 'Nguyễn Văn Thử' }]);
    const echo: Answer = ({ text }, response, count) => response.writeHead(count === 1 ? 422 : 500).end(`not ${text}`);
    await withReceiver(echo, async ({ url, seen }) => {
      const { sink } = await open({ url, attempts: 1 }, person);
      expect((await sink.write(people, 't')).map(({ reason }) => reason)).toEqual([
        'the receiver refused the rows for good: 422 •••',
      ]);
      await expect(sink.write(people, 'u')).rejects.toThrow('status 500 •••');
      expect(seen.map(({ text }) => text.includes('Nguyễn Văn Thử'))).toEqual([true, true]);
      await sink.close();
    });
  });

  it('sends after a failure only what was not taken', async () => {
    await withReceiver(
      (one, response, count) => (count === 2 ? status(500) : ok)(one, response, count),
      async ({ url, seen }) => {
        const { sink } = await open({ url, rows: 1, attempts: 1 });
        await expect(sink.write(rows(3), 't')).rejects.toMatchObject({ code: 'MACH2402' });
        await sink.write(rows(3), 't');
        expect(numbers(seen)).toEqual([[1], [2], [2], [3]]);
        await sink.close();
      },
    );
  });

  it('leaves a dead receiver alone behind its breaker', async () => {
    await withReceiver(status(500), async ({ url, seen }) => {
      const { sink } = await open({ url, attempts: 1, failures: 3, rest: '1h' });
      for (let i = 0; i < 3; i++) await expect(sink.write(rows(1), 't')).rejects.toMatchObject({ code: 'MACH2402' });
      for (let i = 0; i < 5; i++) await expect(sink.write(rows(1), 't')).rejects.toMatchObject({ code: 'MACH2404' });
      expect(seen).toHaveLength(3);
      await sink.close();
    });
  });

  it('comes back once the receiver does', async () => {
    await withReceiver(
      (one, response, count) => (count <= 2 ? status(500) : ok)(one, response, count),
      async ({ url, seen }) => {
        const { sink } = await open({ url, attempts: 1, failures: 2, rest: '1ms' });
        for (let done = false; !done; ) {
          done = await sink.write(rows(1), 't').then(
            () => true,
            () => new Promise((resolve) => setTimeout(() => resolve(false), 5)),
          );
        }
        expect(seen).toHaveLength(3);
        await sink.close();
      },
    );
  });

  it('follows only within its own host', async () => {
    const elsewhere: Seen[] = [];
    await withReceiver(ok, async ({ url: other, seen }) => {
      await withReceiver(status(307, { location: other }), async ({ url }) => {
        const { sink } = await open({ url, attempts: 1 });
        await expect(sink.write(rows(1), 't')).rejects.toMatchObject({ code: 'MACH2403' });
        await sink.close();
      });
      elsewhere.push(...seen);
    });
    expect(elsewhere).toEqual([]);
    const moved: Answer = (one, response, count) =>
      (one.url === '/hook' ? status(308, { location: '/new' }) : ok)(one, response, count);
    await withReceiver(moved, async ({ url, seen }) => {
      const { sink } = await open({ url });
      await sink.write(rows(1), 't');
      expect(seen.map((one) => one.url)).toEqual(['/hook', '/new']);
      await sink.close();
    });
    await withReceiver(status(307, { location: '/hook' }), async ({ url, seen }) => {
      const { sink } = await open({ url, attempts: 1 });
      await expect(sink.write(rows(1), 't')).rejects.toMatchObject({ code: 'MACH2403' });
      expect(seen).toHaveLength(4);
      await sink.close();
    });
  });

  it('signs what it sends', async () => {
    await withReceiver(ok, async ({ url, seen }) => {
      const secret = 'a-made-up-secret-for-tests';
      const { sink } = await open({ url, secret });
      await sink.write(rows(1), 't');
      const { headers, text } = seen[0] as Seen;
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
      expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', secret).update(signed).digest('base64')}`);
      expect(headers['webhook-id']).toBe(headers['idempotency-key']);
      await sink.close();
    });
  });

  it('speaks TLS and trusts only whom it was told to', async () => {
    const tls = { cert: readFileSync(`${certificates}server.pem`), key: readFileSync(`${certificates}server.key`) };
    await withReceiver(
      ok,
      async ({ url, seen }) => {
        const trusting = await open({ url, tls: { ca: 'authority.pem' } });
        await trusting.sink.write(rows(1), 't');
        expect(seen).toHaveLength(1);
        await trusting.sink.close();
        const wary = await open({ url, attempts: 1 });
        await expect(wary.sink.write(rows(1), 't')).rejects.toMatchObject({ code: 'MACH2402' });
        expect(seen).toHaveLength(1);
        await wary.sink.close();
      },
      tls,
    );
  });

  it('stops waiting when the engine stops', async () => {
    await withReceiver(
      () => {},
      async ({ url }) => {
        const { sink, context } = await open({ url, timeout: '1h' });
        const writing = sink.write(rows(1), 't');
        setTimeout(() => context.stop.abort(new Error('draining')), 20);
        await expect(writing).rejects.toThrow();
        await sink.close();
      },
    );
  });

  it('names what is wrong with its options', () => {
    const bind = (options: object) => () =>
      bindSink(webhook, { from: 'x', url: 'https://example.org', ...options }, schema, certificates);
    expect(bind({ url: 'ftp://example.org' })).toThrow();
    expect(bind({ url: 'https://user:word@example.org' })).toThrow('credentials belong into "headers"');
    expect(bind({ tls: { cert: 'server.pem' } })).toThrow('come together');
    expect(bind({ tls: { ca: 'absent.pem' } })).toThrow('does not exist');
    expect(bind({ headers: { 'x-a': 'b\r\nc: d' } })).toThrow();
  });
});
