/** Three real NATS servers that are one JetStream cluster, for tests: loopback, free ports, storage in a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer } from '../bus/server.ts';
import { runServer, type ServerRun, sendSignal } from '../bus/server-process.ts';
import { limits } from '../limits.ts';

export interface ClusterServer {
  readonly name: string;
  readonly url: string;
  readonly isUp: boolean;
  /** SIGKILL; its storage stays. */
  kill(): Promise<void>;
  /** Starts it again, on its ports and its storage. */
  start(): Promise<void>;
}

export interface NatsCluster {
  /** All servers, with commas: what NATS_URL is. */
  readonly url: string;
  readonly servers: readonly ClusterServer[];
  /** The server that leads a stream. Rejects when none does after a while. */
  leaderOf(stream: string): Promise<ClusterServer>;
  /** Resolves when the cluster has a leader and so many of its servers are in it. */
  ready(servers: number): Promise<void>;
}

const size = 3;
const readyDeadlineMs = 30_000;
const stopDeadlineMs = 2_000;

interface Place {
  readonly name: string;
  readonly port: number;
  readonly routePort: number;
  readonly monitorPort: number;
}

/** Ports that were free a moment ago, all at once so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = servers.map(
    (server) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
      }),
  );
  const found = await Promise.all(ports);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return found;
}

function configuration(place: Place, places: readonly Place[], directory: string): string {
  const routes = places.map(({ routePort }) => JSON.stringify(`nats://127.0.0.1:${routePort}`));
  return `
server_name: ${place.name}
listen: "127.0.0.1:${place.port}"
http: "127.0.0.1:${place.monitorPort}"
max_payload: ${limits.frameBytesMax + 64 * 1024}
cluster {
  name: mach-test
  listen: "127.0.0.1:${place.routePort}"
  routes: [${routes.join(', ')}]
}
jetstream {
  store_dir: ${JSON.stringify(join(directory, place.name))}
  max_file_store: 10GB
}
`;
}

interface JetStreamPage {
  readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number };
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
}

async function jetstreamPage(place: Place, query = ''): Promise<JetStreamPage | undefined> {
  try {
    const address = `http://127.0.0.1:${place.monitorPort}/jsz${query}`;
    const response = await fetch(address, { signal: AbortSignal.timeout(2_000) });
    return (await response.json()) as JetStreamPage;
  } catch {
    return undefined;
  }
}

async function eventually<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + readyDeadlineMs;
  while (performance.now() < until) {
    const found = await find();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`${what}: not within ${readyDeadlineMs} ms`);
}

function clusterServer(place: Place, path: string): ClusterServer {
  let run: ServerRun | undefined;
  return {
    name: place.name,
    url: `nats://127.0.0.1:${place.port}`,
    get isUp() {
      return run !== undefined;
    },
    async kill() {
      const killed = run;
      if (!killed) return;
      run = undefined;
      sendSignal(killed.processId, 'SIGKILL');
      await killed.ended;
    },
    async start() {
      run ??= await runServer(findNatsServer(), ['-c', path]);
    },
  };
}

/** Runs a body with a cluster of its own, and removes it afterwards. */
export async function withNatsCluster<T>(body: (cluster: NatsCluster) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'mach-cluster-'));
  const ports = await freePorts(3 * size);
  const places = Array.from({ length: size }, (_, index): Place => {
    const [port = 0, routePort = 0, monitorPort = 0] = ports.slice(3 * index);
    return { name: `n${index + 1}`, port, routePort, monitorPort };
  });
  const servers: ClusterServer[] = [];
  for (const place of places) {
    await mkdir(join(directory, place.name));
    const path = join(directory, `${place.name}.conf`);
    await writeFile(path, configuration(place, places, directory));
    servers.push(clusterServer(place, path));
  }
  const pages = (query?: string) => Promise.all(places.map((place) => jetstreamPage(place, query)));
  const cluster: NatsCluster = {
    url: servers.map(({ url }) => url).join(','),
    servers,
    leaderOf: (stream) =>
      eventually(`leader of ${stream}`, async () => {
        for (const page of await pages('?streams=true')) {
          const streams = page?.account_details?.flatMap((account) => account.stream_detail ?? []) ?? [];
          const leader = streams.find(({ name }) => name === stream)?.cluster?.leader;
          const server = servers.find(({ name, isUp }) => isUp && name === leader);
          if (server) return server;
        }
        return undefined;
      }),
    ready: (count) =>
      eventually(`${count} servers in the cluster`, async () => {
        const known = (await pages()).filter((page) => page?.meta_cluster?.leader);
        return known.length >= count ? true : undefined;
      }).then(() => undefined),
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
    await cluster.ready(size);
    return await body(cluster);
  } finally {
    await Promise.race([Promise.all(servers.map((server) => server.kill())), sleep(stopDeadlineMs)]);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
