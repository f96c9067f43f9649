import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { Engine } from '../execution/engine.ts';
import { startObserveServer } from './http-server.ts';

/** For requests that do not look at the engine. */
const engine = { state: 'running' } as Engine;
const clock = systemClock();

function ask(port: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text.split('\r\n')[0] ?? ''));
  });
}

describe('startObserveServer', () => {
  it('answers requests for addresses that are none', async () => {
    const server = await startObserveServer({ engine, clock });
    const port = Number(new URL(server.url).port);
    try {
      for (const target of ['//', '//?x', 'http://[', '/%', '/nowhere', '/../etc'])
        expect(await ask(port, target), target).toBe('HTTP/1.1 404 Not Found');
      expect(await ask(port, '/livez?x=1')).toBe('HTTP/1.1 200 OK');
    } finally {
      await server.close();
    }
  });

  it('says that its address is taken (MACH3209)', async () => {
    const first = await startObserveServer({ engine, clock });
    const port = Number(new URL(first.url).port);
    try {
      await expect(startObserveServer({ engine, clock, port })).rejects.toMatchObject({
        code: 'MACH3209',
        data: { address: `127.0.0.1:${port}` },
      });
    } finally {
      await first.close();
    }
  });
});
