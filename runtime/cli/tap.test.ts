import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { testCatalogue, testEnvironment } from '../topology/test-catalogue.ts';
import { main } from './main.ts';

const servers: { close(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** What `mach tap` prints of an engine that answers so. */
async function tap(answer: (response: ServerResponse) => void, ...more: string[]) {
  const server = createServer((_, response) => answer(response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const url = `http://127.0.0.1:${port}`;
  const loadCatalogue = async () => ({ catalogue: testCatalogue, errorLists: [] });
  const words = ['tap', 'rows', '--url', url, ...more];
  const code = await main(words, { version: '1', env: testEnvironment, stdout, stderr, loadCatalogue });
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  return { code, out: read(stdout), err: read(stderr).replace(url, 'URL') };
}

it.each([
  ['ends', (response: ServerResponse) => void response.end()],
  ['breaks off', (response: ServerResponse) => void response.destroy()],
])('says that the engine has ended when its answer %s', async (_, end) => {
  const answer = (response: ServerResponse) => {
    response.write('{"a":1}\n{"a":2}\n{"cut off');
    setTimeout(() => end(response), 20);
  };
  const { code, out, err } = await tap(answer);
  expect({ code, out }).toEqual({ code: 0, out: '{"a":1}\n{"a":2}\n' });
  expect(err).toBe('the engine at URL has ended\n');
});

it('ends by itself after as many as were asked for', async () => {
  const answer = (response: ServerResponse) => void response.write('{"a":1}\n{"a":2}\n{"a":3}\n');
  expect(await tap(answer, '--limit', '2')).toEqual({ code: 0, out: '{"a":1}\n{"a":2}\n', err: '' });
});
