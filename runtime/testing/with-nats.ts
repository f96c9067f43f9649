/** A real NATS server for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '../bus/server.ts';

export interface WithNats {
  readonly url: string;
  readonly server: NatsServer;
  readonly directory: string;
}

/**
 * Runs a body with a server of its own on a free port, in a temporary folder, and removes both afterwards. Servers of
 * tests do not wait for the disk unless asked to: what is tested is not the power supply.
 */
export async function withNats<T>(
  body: (nats: WithNats) => Promise<T>,
  options: Omit<NatsServerOptions, 'directory'> = {},
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'mach-nats-'));
  try {
    const server = await startNatsServer({ syncAlways: false, ...options, directory });
    try {
      return await body({ url: server.url, server, directory });
    } finally {
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
}
