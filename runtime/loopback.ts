/** Addresses that lead to this machine alone, and who asks for them. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * The name by which a server on loopback was asked, where it is none of this machine; undefined: it is. A page of another site whose name leads to
 * loopback (DNS rebinding) has that name as the host of its requests, and its browser keeps nothing back from it.
 */
export function strangeHost({ headers }: IncomingMessage, listensTo: string): string | undefined {
  if (!isLoopback(listensTo)) return undefined;
  const asked = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return isLoopback(asked) ? undefined : asked;
}
