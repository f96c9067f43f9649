import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { bindSource } from '../testing/bind.ts';
import { recordedLog, testContext } from '../testing/source-context.ts';
import { feed115 } from './index.ts';
import { type ConnectOptions, openStub } from './stub.ts';
import { makeTokenCheck } from './tls.ts';

const folder = fileURLToPath(new URL('../testing/certificates/', import.meta.url));
const file = (name: string) => readFileSync(`${folder}${name}`);
const ca = file('authority.pem');
const item = { unit: { unit_id: 'XE-1', reported_ms: 1_770_000_000_000 } };

async function submitOver(tls: object, connect: ConnectOptions): Promise<number> {
  const log = recordedLog();
  const bound = bindSource(feed115, { listen: '127.0.0.1:0', tls }, folder);
  const running = await bound.open(testContext(log, { clock: virtualClock(1_770_000_000_000) }));
  const stub = await openStub(running.address.replace('127.0.0.1', 'localhost'), connect);
  try {
    return (await stub.submit({ centre: 'c', items: [item] })).accepted ?? 0;
  } finally {
    stub.close();
    await running.close();
  }
}

const server = { cert: 'server.pem', key: 'server.key' };
const mutual = { ...server, ca: 'authority.pem', require_client_certificate: true };

describe('TLS', () => {
  it('encrypts', async () => {
    expect(await submitOver(server, { tls: { ca } })).toBe(1);
  });

  it('takes PEM texts as well as paths', async () => {
    const texts = { cert: file('server.pem').toString(), key: file('server.key').toString() };
    expect(await submitOver(texts, { tls: { ca } })).toBe(1);
  });

  it('is refused by a client that does not trust the server', async () => {
    await expect(submitOver(server, { tls: { ca: file('stranger.pem') } })).rejects.toThrow(/UNAVAILABLE/);
  });

  it('takes a client with a certificate of the authority', async () => {
    const tls = { ca, cert: file('client.pem'), key: file('client.key') };
    expect(await submitOver(mutual, { tls })).toBe(1);
  });

  it('refuses a client without a certificate, or with one of its own making', async () => {
    await expect(submitOver(mutual, { tls: { ca } })).rejects.toThrow(/UNAVAILABLE/);
    const stranger = { ca, cert: file('stranger.pem'), key: file('stranger.key') };
    await expect(submitOver(mutual, { tls: stranger })).rejects.toThrow(/UNAVAILABLE/);
  });

  it('names what is wrong with the options', () => {
    const bind = (tls: object) => () => bindSource(feed115, { tls }, folder);
    expect(bind({ cert: 'absent.pem', key: 'server.key' })).toThrow(/tls.cert: the file absent.pem does not exist/);
    expect(bind({ ...server, require_client_certificate: true })).toThrow(/without "ca"/);
  });

  it('says that a key does not fit', async () => {
    const opened = bindSource(
      feed115,
      { listen: '127.0.0.1:0', tls: { cert: 'server.pem', key: 'README.md' } },
      folder,
    ).open(testContext(recordedLog(), { clock: virtualClock(0) }));
    await expect(opened).rejects.toMatchObject({ code: 'MACH2117' });
  });
});

describe('tokens', () => {
  it('are taken as a bearer, whole and exact', () => {
    const isValid = makeTokenCheck(['first-token-of-two', 'second-token-of-two']);
    expect(isValid('Bearer second-token-of-two')).toBe(true);
    expect(isValid('bearer first-token-of-two')).toBe(true);
    for (const bad of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'first-token-of-two',
      'Bearer first-token',
      'Basic first-token-of-two',
    ]) {
      expect(isValid(bad)).toBe(false);
    }
  });
});
