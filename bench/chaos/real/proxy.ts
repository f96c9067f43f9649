/** A TCP proxy on loopback that loses what goes through it in the ways of networks, and finds out who is there. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type ProxyMode =
  | 'pass'
  /** Nothing gets through either way, and nobody is told. */
  | 'black-hole'
  /** Requests arrive, answers are lost. */
  | 'lose-answers'
  /** Requests are lost; what the server says by itself arrives. */
  | 'lose-requests';

export interface Proxy {
  readonly port: number;
  /** From here on; connections that have lost something are cut when it passes again: a byte stream has no holes. */
  set(mode: ProxyMode): void;
  /** Cuts all connections; new ones are taken. */
  cut(): void;
  /** Bytes lost so far, both ways. */
  readonly lostBytes: number;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  server: Socket | undefined;
  lossy: boolean;
}

/** `targets`: ports on loopback, asked for anew with each connection and tried in this order. */
export async function startProxy(targets: () => readonly number[]): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let mode: ProxyMode = 'pass';
  let lostBytes = 0;

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.client.destroy();
    pair.server?.destroy();
  }

  function pass(pair: Pair, from: 'client' | 'server', data: Buffer, to: Socket): void {
    const lost = mode === 'black-hole' || mode === (from === 'server' ? 'lose-answers' : 'lose-requests');
    if (!lost && !pair.lossy) return void to.write(data);
    pair.lossy = true;
    lostBytes += data.length;
  }

  function open(pair: Pair, ports: readonly number[]): void {
    const [port, ...others] = ports;
    if (port === undefined) return end(pair);
    const server = connect({ host: '127.0.0.1', port });
    server.setNoDelay(true);
    server.once('connect', () => {
      pair.server = server;
      server.on('close', () => end(pair));
      server.on('data', (data: Buffer) => pass(pair, 'server', data, pair.client));
      pair.client.on('data', (data: Buffer) => pass(pair, 'client', data, server));
      pair.client.resume();
    });
    server.on('error', () => (pair.server ? end(pair) : open(pair, others)));
  }

  const listener = createServer({ pauseOnConnect: true }, (client) => {
    const pair: Pair = { client, server: undefined, lossy: false };
    pairs.add(pair);
    client.setNoDelay(true);
    client.on('error', () => end(pair));
    client.on('close', () => end(pair));
    open(pair, targets());
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });

  const cut = () => {
    for (const pair of [...pairs]) end(pair);
  };
  return {
    port: (listener.address() as AddressInfo).port,
    set(next) {
      mode = next;
      if (mode === 'pass') for (const pair of [...pairs].filter(({ lossy }) => lossy)) end(pair);
    },
    cut,
    get lostBytes() {
      return lostBytes;
    },
    async close() {
      cut();
      await new Promise<void>((resolve) => listener.close(() => resolve()));
    },
  };
}
