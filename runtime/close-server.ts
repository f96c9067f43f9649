import type { Server } from 'node:http';

/** What is being answered by then is answered to its end. */
const drainTimeoutMs = 2_000;

/**
 * Closes a server of HTTP: requests that are being answered are answered; who has not sent a whole one in time is cut off, since a server that closes looks at
 * no time-out any more.
 */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), drainTimeoutMs);
  await closed;
  clearTimeout(timer);
}
