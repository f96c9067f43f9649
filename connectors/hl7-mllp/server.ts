/** Listens, and starts a session for each connection. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { messageOf, type RunningSource, type SourceContext } from '../../runtime/stream/index.ts';
import { hl7Errors } from './errors.ts';
import { hl7Limits } from './limits.ts';
import type { ObservedField } from './observations.ts';
import { addressOf, type Hl7Options } from './options.ts';
import { type Session, startSession } from './session.ts';
import { offsetMinutesAt } from './time.ts';

export interface ServerOptions {
  readonly options: Hl7Options;
  readonly codes: ReadonlyMap<string, ObservedField>;
  /** Path of a file named in the topology. */
  readonly resolveFile: (path: string) => string;
}

export async function openServer(
  context: SourceContext,
  { options, codes, resolveFile }: ServerOptions,
): Promise<RunningSource> {
  const sessions = new Set<Session>();
  const secure = await readTls(options.tls, resolveFile);
  let draining = false;
  let replies = 0;
  const prefix = randomBytes(6).toString('hex').toUpperCase();
  const countType = typeCounter(context);

  const accept = (socket: Socket) => {
    if (draining) {
      socket.destroy();
      return;
    }
    const session = startSession(socket, context, {
      decode: { zone: options.zone, charset: options.charset, codes },
      messageBytesMax: options.message,
      idleMs: options.idle_connection,
      offsetMin: offsetMinutesAt(context.clock.now(), options.zone),
      countType,
      nextId: () => `${prefix}${(replies++).toString(36).toUpperCase()}`,
    });
    sessions.add(session);
    context.gauge('connections', sessions.size);
    void session.closed.then(() => {
      sessions.delete(session);
      context.gauge('connections', sessions.size);
    });
  };

  const server = secure
    ? createTlsServer({ ...secure, allowHalfOpen: true, handshakeTimeout: hl7Limits.handshakeTimeoutMs }, accept)
    : createServer({ allowHalfOpen: true }, accept);
  server.maxConnections = options.connections;
  server.on('drop', (peer) => {
    const data = { connection: peer?.remoteAddress ?? 'unknown', connectionsMax: options.connections };
    const failure = hl7Errors.make('MACH2006', data);
    context.count('connections_refused_total', 1);
    context.logger.warn(data, failure.message);
  });
  server.on('tlsClientError', (error: Error) => {
    context.count('handshakes_failed_total', 1);
    context.logger.warn({}, `TLS handshake failed: ${error.message}`);
  });
  const address = await listen(server, options);
  server.on('error', (error) => context.logger.error({}, messageOf(error)));

  let drained: Promise<void> | undefined;
  const drain = () => {
    drained ??= (async () => {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...sessions].map((session) => session.drain()));
      await closed;
    })();
    return drained;
  };
  if (context.signal.aborted) void drain();
  else context.signal.addEventListener('abort', () => void drain(), { once: true });
  return { address, close: drain, problem: () => (draining ? 'draining' : null) };
}

function listen(server: Server, options: Hl7Options): Promise<string> {
  const { host, port } = addressOf(options.listen);
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      reject(hl7Errors.make('MACH2001', { address: `${host}:${port}`, reason: error.message }, error));
    };
    server.once('error', onError);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', onError);
      const bound = server.address() as AddressInfo;
      resolve(bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`);
    });
  });
}

/** A counter for each message type, bounded: types are words of the senders. */
function typeCounter(context: SourceContext): (type: string) => void {
  const known = new Set<string>();
  return (type) => {
    const isOwn = known.has(type) || (known.size < hl7Limits.countedTypesMax && /^\w{2,4}_\w{1,5}$/.test(type));
    if (isOwn) known.add(type);
    context.count('messages_total', 1, { type: isOwn ? type : 'other' });
  };
}

/** Reads the files and tries them, so that a wrong key is an error of the check and not of the first connection. */
export async function readTls(
  tls: Hl7Options['tls'],
  resolveFile: (path: string) => string,
): Promise<TlsOptions | undefined> {
  if (!tls) return undefined;
  const read = async (what: string, value: string): Promise<string> => {
    if (value.includes('-----BEGIN')) return value;
    try {
      return await readFile(resolveFile(value), 'utf8');
    } catch (error) {
      throw hl7Errors.make('MACH2017', { what, reason: messageOf(error) }, error);
    }
  };
  const secure: TlsOptions = {
    cert: await read('cert', tls.cert),
    key: await read('key', tls.key),
    ...(tls.ca === undefined ? {} : { ca: await read('ca', tls.ca) }),
    requestCert: tls.require_client_certificate,
    rejectUnauthorized: tls.require_client_certificate,
    minVersion: 'TLSv1.2',
  };
  try {
    createSecureContext(secure);
  } catch (error) {
    throw hl7Errors.make('MACH2017', { what: 'cert and key', reason: messageOf(error) }, error);
  }
  return secure;
}
