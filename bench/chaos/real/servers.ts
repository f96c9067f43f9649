/** The log's server and the store, each a process of the harness that can be killed, held down and started again alone. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsServer } from '../../../runtime/bus/index.ts';
import { startEmbeddedStore } from '../../../runtime/store/index.ts';

export interface Server {
  readonly port: number;
  readonly processId: number;
  readonly isUp: boolean;
  /** SIGKILL; stays down until `start`. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Times that it was started after the first. */
  readonly restarts: number;
}

interface Running {
  readonly processId: number;
  readonly port: number;
  stop(): Promise<void>;
}

async function makeServer(open: (port: number) => Promise<Running>): Promise<Server> {
  let running: Running | undefined = await open(0);
  const { port } = running;
  let restarts = 0;
  return {
    port,
    get processId() {
      return running?.processId ?? 0;
    },
    get isUp() {
      return running !== undefined;
    },
    get restarts() {
      return restarts;
    },
    async kill() {
      const killed = running;
      running = undefined;
      if (!killed) return;
      process.kill(killed.processId, 'SIGKILL');
      // Its supervisor must not bring it back: when it is back is decided here.
      await killed.stop();
    },
    async start() {
      if (running) return;
      running = await open(port);
      restarts++;
    },
    async stop() {
      const last = running;
      running = undefined;
      await last?.stop();
    },
  };
}

export function startLogServer(directory: string): Promise<Server> {
  return makeServer(async (port) => {
    const server = await startNatsServer({ directory, port, keepAlive: false });
    return { processId: server.processId, port: Number(new URL(server.url).port), stop: () => server.stop() };
  });
}

export function startStoreServer(directory: string): Promise<Server> {
  return makeServer(async (port) => {
    const store = await startEmbeddedStore({ directory, port });
    return { processId: store.pid, port: Number(new URL(store.url).port), stop: () => store.stop() };
  });
}

/** Takes the storage of a log's server that is down out of its way; the function returned puts it back. */
export async function wipeStorage(directory: string): Promise<() => Promise<void>> {
  const storage = join(directory, 'storage');
  const aside = join(directory, 'storage-aside');
  await rm(aside, { recursive: true, force: true });
  if (existsSync(storage)) await rename(storage, aside);
  await mkdir(storage, { recursive: true });
  return async () => {
    await rm(storage, { recursive: true, force: true });
    await rename(aside, storage);
  };
}
