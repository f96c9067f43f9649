import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { messageOf } from '../../runtime/stream/index.ts';
import { natsErrors } from './errors.ts';
import { natsLimits } from './limits.ts';

export const connectionOptions = {
  url: z.string().min(1).describe('address of the server, nats://host:4222 or tls://host:4222; several with commas'),
  token: z.string().min(1).optional().meta({ mach: 'secret' }).describe('credentials: a token'),
  user: z.string().min(1).optional().describe('credentials: a user'),
  password: z.string().min(1).optional().meta({ mach: 'secret' }).describe('credentials: the password of the user'),
};

export interface Connect {
  readonly url: string;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Without what stands before an @: that may be a password. */
const shownUrl = (url: string) => url.replaceAll(/\/\/[^@/,]*@/g, '//');

/** Connects; reconnects for ever once it has. Rejects with MACH2301. */
export async function openConnection({ url, token, user, password }: Connect, name: string): Promise<NatsConnection> {
  const { connect } = await import('@nats-io/transport-node');
  try {
    return await connect({
      servers: url.split(',').map((part) => part.trim()),
      name,
      timeout: natsLimits.connectTimeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: natsLimits.reconnectDelayMs,
      ...(token ? { token } : {}),
      ...(user ? { user } : {}),
      ...(password ? { pass: password } : {}),
    });
  } catch (error) {
    throw natsErrors.make('MACH2301', { url: shownUrl(url), reason: messageOf(error) }, error);
  }
}

/** Why a text is no subject, or null. */
export function subjectProblem(subject: string, { wildcards }: { wildcards: boolean }): string | null {
  const words = subject.split('.');
  if (/\s/.test(subject)) return 'it has a space';
  if (words.some((word) => word === '')) return 'it has an empty word';
  if (!wildcards && words.some((word) => word === '*' || word === '>')) return 'wildcards are for sources';
  const rest = words.indexOf('>');
  if (rest >= 0 && rest < words.length - 1) return '> stands only at the end';
  return null;
}
