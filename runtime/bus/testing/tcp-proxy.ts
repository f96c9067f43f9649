/** A proxy on loopback that breaks connections in the ways of networks. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly url: string;
  /** What the server says is swallowed from here on: requests arrive, answers do not. */
  swallowAnswers(): void;
  /** Nothing gets through either way, and nobody is told (a black hole). */
  freeze(): void;
  /** Everything as it was, with the connections that are there. */
  thaw(): void;
  /** Cuts all connections; new ones are taken. */
  cut(): void;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let swallow = false;
  let frozen = false;

  const proxy = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port: targetPort });
    const pair = { client, server };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (data) => void server.write(data));
    server.on('data', (data) => void (swallow || client.write(data)));
    if (frozen) pause(pair);
  });
  const pause = ({ client, server }: { client: Socket; server: Socket }) => {
    client.pause();
    server.pause();
  };
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;

  const cut = () => {
    for (const { client, server } of [...pairs]) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    get connections() {
      return pairs.size;
    },
    swallowAnswers() {
      swallow = true;
    },
    freeze() {
      frozen = true;
      for (const pair of pairs) pause(pair);
    },
    thaw() {
      swallow = false;
      frozen = false;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    cut,
    async close() {
      cut();
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
    },
  };
}
