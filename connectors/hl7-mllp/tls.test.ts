import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { hl7Client } from './client.ts';
import { hl7Mllp } from './index.ts';
import { hl7Options } from './options.ts';
import { startServer, testCheck, testMessage } from './server.fixture.ts';

const folder = fileURLToPath(new URL('../testing/certificates/', import.meta.url));
const path = (name: string) => `${folder}${name}`;
const text = (name: string) => readFileSync(path(name), 'utf8');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(tls: Record<string, unknown> = {}) {
  const server = await startServer({ options: { tls: { cert: path('server.pem'), key: path('server.key'), ...tls } } });
  cleanups.push(() => server.source.close());
  return server;
}

function clientOf(port: number, tls = {}) {
  const client = hl7Client({
    port,
    attempts: 1,
    tls: { ca: text('authority.pem'), servername: 'localhost', ...tls },
  });
  cleanups.push(() => client.close());
  return client;
}

const identity = (name: string) => ({ cert: text(`${name}.pem`), key: text(`${name}.key`) });

describe('TLS', () => {
  it('carries messages', async () => {
    const server = await start();
    expect(await clientOf(server.port).send(testMessage('A'))).toMatchObject({ code: 'AA', id: 'A' });
  });

  it('takes PEM text as well as paths', async () => {
    const server = await start({ cert: text('server.pem'), key: text('server.key') });
    expect(await clientOf(server.port).send(testMessage('A'))).toMatchObject({ code: 'AA' });
  });

  it('does not talk to a plain client', async () => {
    const server = await start();
    const client = hl7Client({ port: server.port, attempts: 1 });
    cleanups.push(() => client.close());
    await expect(client.send(testMessage('A'))).rejects.toMatchObject({ code: 'MACH2031' });
    expect(server.appended).toEqual([]);
  });

  it('lets in only those who have a certificate of the authority, when that is required', async () => {
    const server = await start({ ca: path('authority.pem'), require_client_certificate: true });
    await expect(clientOf(server.port).send(testMessage('A'))).rejects.toMatchObject({ code: 'MACH2031' });
    const stranger = clientOf(server.port, identity('stranger'));
    await expect(stranger.send(testMessage('B'))).rejects.toMatchObject({ code: 'MACH2031' });
    expect(server.appended).toEqual([]);
    const known = clientOf(server.port, identity('client'));
    expect(await known.send(testMessage('C'))).toMatchObject({ code: 'AA', id: 'C' });
  });

  it('with files that are absent or do not belong together is a coded error of the check', async () => {
    const probe = (tls: Record<string, unknown>) =>
      hl7Mllp.bind({ options: hl7Options.parse({ listen: 0, tls }), check: testCheck }).probe?.();
    await expect(probe({ cert: path('none.pem'), key: path('server.key') })).rejects.toMatchObject({
      code: 'MACH2017',
    });
    await expect(probe({ cert: path('server.pem'), key: path('client.key') })).rejects.toMatchObject({
      code: 'MACH2017',
    });
    await expect(probe({ cert: path('server.pem'), key: path('server.key') })).resolves.toBeUndefined();
    expect(() => probe({ cert: 'a', key: 'b', require_client_certificate: true })).toThrow('"ca"');
  });
});
