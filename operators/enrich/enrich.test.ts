import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { BoundOperator, Event, LookupSpec, Schema } from '../../runtime/stream/index.ts';
import { BindProblems, bindOperator } from '../../runtime/testing/operator-harness.ts';
import { enrich } from './enrich.ts';
import { enrichLimits } from './limits.ts';
import { addressOfEvent } from './template.ts';

const schema: Schema = {
  fields: {
    hospital: { type: { kind: 'string' }, nullable: true },
    patient: { type: { kind: 'string' }, nullable: true, privacy: 'direct' },
  },
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(handler: Handler): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const json =
  (value: unknown, status = 200): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

function bind(options: object): BoundOperator & { lookup: LookupSpec } {
  const all = { from: 'calls', set: { beds: 'int' }, ...options };
  return bindOperator({ definition: enrich, options: all, schema }).bound as never;
}

const event = (hospital: string | null): Event => ({ hospital, patient: null });
const never = new AbortController().signal;

describe('asking', () => {
  it('takes values by path, each of its type, and sends the headers', async () => {
    let authorization: string | undefined;
    const server = await serve((request, response) => {
      ({ authorization } = request.headers);
      json({ data: { list: [{ free: 7 }], since: '2026-03-02T07:00:00+07:00' }, open: true, name: null })(
        request,
        response,
      );
    });
    const { lookup, ports } = bind({
      url: `${server.url}/hospitals/{hospital}?all=yes`,
      headers: { Authorization: 'Bearer secret-of-a-test' },
      set: {
        free: { type: 'int', path: 'data.list[0].free', unit: 'beds' },
        since: { type: 'timestamp', path: 'data.since' },
        open: 'bool',
        name: 'string',
        absent: { type: 'json', path: 'data.list[4].x' },
      },
    });
    const values = { free: 7, since: Date.parse('2026-03-02T00:00:00Z'), open: true, name: null, absent: null };
    expect(await lookup.ask(event('Bệnh viện/1'), never)).toEqual(values);
    expect(server.asked).toEqual(['/hospitals/B%E1%BB%87nh%20vi%E1%BB%87n%2F1?all=yes']);
    expect(authorization).toBe('Bearer secret-of-a-test');
    expect(ports.out?.fields.free).toEqual({ type: { kind: 'int' }, nullable: true, unit: 'beds' });
    expect(lookup.join(event('H1'), values, null)).toEqual({ event: { ...event('H1'), ...values } });
  });

  it.each([404, 410, 204])('takes status %i for: not known there', async (status) => {
    const server = await serve((_, response) => void response.writeHead(status).end());
    expect(await bind({ url: `${server.url}/{hospital}` }).lookup.ask(event('H1'), never)).toBeNull();
  });

  it('asks again after a passing failure, and not after a refusal', async () => {
    let tries = 0;
    const server = await serve((request, response) => json({ beds: 3 }, ++tries < 3 ? 503 : 200)(request, response));
    expect(await bind({ url: server.url, retries: 2 }).lookup.ask(event('H1'), never)).toEqual({ beds: 3 });
    expect(tries).toBe(3);
    const refusing = await serve(json({}, 403));
    await expect(bind({ url: refusing.url }).lookup.ask(event('H1'), never)).rejects.toThrow('status 403');
    expect(refusing.asked).toHaveLength(1);
  });

  it('goes to no other place than the one named', async () => {
    const other = await serve(json({ beds: 1 }));
    const server = await serve((_, response) => void response.writeHead(302, { location: other.url }).end());
    await expect(bind({ url: server.url }).lookup.ask(event('H1'), never)).rejects.toThrow('status 302');
    expect(other.asked).toEqual([]);
  });

  it.each([
    ['another type', json({ beds: 'many' }), '10s', 'beds of the answer is "many", which is no int'],
    ['no JSON', (_, response) => void response.end('<html>'), '10s', 'the answer is not JSON'],
    [
      'too much',
      (_, response) => void response.end('x'.repeat(enrichLimits.answerBytesMax + 1)),
      '10s',
      'larger than answerBytesMax',
    ],
    ['a connection that breaks', (request) => void request.socket.destroy(), '10s', 'the server cannot be reached'],
    ['silence', () => undefined, '50ms', 'no answer within 50 ms'],
  ] as [string, Handler, string, string][])('fails with a reason: %s', async (_, handler, timeout, reason) => {
    const server = await serve(handler);
    const { lookup } = bind({ url: server.url, retries: 0, timeout });
    await expect(lookup.ask(event('H1'), never)).rejects.toThrow(reason);
  });

  it('quotes nothing of an answer where it, or what was asked for, points at a person', async () => {
    const withVisit: Schema = {
      fields: { ...schema.fields, visit: { type: { kind: 'string' }, nullable: true, privacy: 'quasi' } },
    };
    const reasonOf = async (handler: Handler) => {
      const { url } = await serve(handler);
      const options = { from: 'calls', set: { beds: 'int' }, url: `${url}/{visit}`, retries: 0 };
      const { lookup } = bindOperator({ definition: enrich, options, schema: withVisit }).bound as {
        lookup: LookupSpec;
      };
      return lookup.ask({ ...event('H1'), visit: 'ZZMARK-1' }, never).catch((error: Error) => error.message);
    };
    expect(await reasonOf(({ url }, response) => void response.end(`nothing at ${url}`))).toBe(
      'the answer is not JSON: •••',
    );
    expect(await reasonOf((request, response) => json({ beds: request.url })(request, response))).toBe(
      'beds of the answer is •••, which is no int',
    );
  });

  it('asks nothing while the breaker is open', async () => {
    const server = await serve(json({ beds: 5 }, 500));
    const { lookup } = bind({ url: server.url, retries: 0, breaker: { failures: 2, reset: '1h' } });
    const ask = () => lookup.ask(event('H1'), never);
    await expect(ask()).rejects.toThrow('status 500');
    await expect(ask()).rejects.toThrow('status 500');
    await expect(ask()).rejects.toThrow('left alone for a while');
    expect(server.asked).toHaveLength(2);
  });

  it('asks again when the breaker has rested', async () => {
    let broken = true;
    const server = await serve((request, response) => json({ beds: 5 }, broken ? 500 : 200)(request, response));
    const { lookup } = bind({ url: server.url, retries: 0, breaker: { failures: 1, reset: '10ms' } });
    const ask = () => lookup.ask(event('H1'), never);
    await expect(ask()).rejects.toThrow('status 500');
    broken = false;
    await expect.poll(() => ask().catch(() => 'resting'), { timeout: 10_000 }).toEqual({ beds: 5 });
  });

  it('a question refused for its content does not open the breaker', async () => {
    const server = await serve(json({}, 400));
    const { lookup } = bind({ url: server.url, retries: 0, breaker: { failures: 1, reset: '1h' } });
    await expect(lookup.ask(event('H1'), never)).rejects.toThrow('status 400');
    await expect(lookup.ask(event('H1'), never)).rejects.toThrow('status 400');
  });

  it('remembers answers where it may, failures never', async () => {
    let tries = 0;
    const server = await serve((request, response) => json({ beds: 3 }, ++tries === 1 ? 400 : 200)(request, response));
    const { lookup } = bind({ url: `${server.url}/{hospital}`, cache: '1h' });
    await expect(lookup.ask(event('H1'), never)).rejects.toThrow('status 400');
    for (let again = 0; again < 3; again++) expect(await lookup.ask(event('H1'), never)).toEqual({ beds: 3 });
    await lookup.ask(event('H2'), never);
    expect(server.asked).toEqual(['/H1', '/H1', '/H2']);
  });

  it('ends at once when the engine does', async () => {
    const server = await serve(() => undefined);
    const ending = new AbortController();
    const asking = bind({ url: server.url }).lookup.ask(event('H1'), ending.signal);
    ending.abort(new Error('closing'));
    await expect(asking).rejects.toThrow('closing');
  });
});

describe('an address with fields', () => {
  it('takes no value for a way to another place', () => {
    const at = (hospital: string) => new URL(addressOfEvent('https://r.example/a/{hospital}/b')({ hospital })).pathname;
    expect(at('../../admin')).toBe('/a/..%2F..%2Fadmin/b');
    expect(at('x?y#z')).toBe('/a/x%3Fy%23z/b');
  });

  it('asks nothing for null, and nothing too long', async () => {
    const { lookup } = bind({ url: 'http://127.0.0.1:9/{hospital}' });
    await expect(lookup.ask(event(null), never)).rejects.toThrow('hospital is null: there is nothing to ask for');
    const long = event('x'.repeat(enrichLimits.urlLengthMax));
    await expect(lookup.ask(long, never)).rejects.toThrow('urlLengthMax');
  });
});

describe('what is wrong with it', () => {
  const url = 'https://registry.example/{hospital}';
  it.each([
    [
      'a field that is not there',
      { url: 'https://registry.example/{hospitl}' },
      '"hospitl" is not a field of the input',
    ],
    ['a name in an address', { url: 'https://registry.example/{patient}' }, 'patient names a person'],
    ['a field that is there already', { url, set: { hospital: 'string' } }, 'has a field hospital already'],
    ['a field twice', { url, failure: 'beds' }, 'has a field beds already'],
  ])('%s', (_, options, message) => {
    expect(() => bind(options)).toThrow(BindProblems);
    expect(() => bind(options)).toThrow(message);
  });

  it.each([
    ['no host', { url: 'https://{hospital}/' }],
    ['another protocol', { url: 'file:///etc/hosts' }],
    ['a header of two lines', { url, headers: { a: 'b\r\nc: d' } }],
    ['a type that there is not', { url, set: { beds: 'integer' } }],
    ['a path that is none', { url, set: { beds: { type: 'int', path: 'a..b' } } }],
  ])('%s', (_, options) => {
    expect(() => bind(options)).toThrow();
  });
});
