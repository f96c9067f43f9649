/** Source `grafana`: notifications of Grafana's alert rules, posted by its contact point `webhook`, answered once they are in the log. */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import {
  type AppendRequest,
  closeServer,
  defineSource,
  isLoopback,
  jsonProblem,
  limits,
  messageOf,
  type RunningSource,
  type SourceContext,
  strangeHost,
} from '../../runtime/stream/index.ts';
import { grafanaErrors } from './errors.ts';
import { alertSchema, readNotification } from './notification.ts';

/** One notification is one message of the log, and stays well below what that holds. */
const bodyBytesMax = 1024 * 1024;
/** Who has not sent all of it by then has gone. */
const requestTimeoutMs = 30_000;
const connectionsMax = 100;
const origin = 'grafana';

const options = z.strictObject({
  listen: z
    .union([z.int().min(0).max(65_535), z.string().regex(/^(?:[^:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'host:port')])
    .default(8026)
    .describe('a port of this machine alone (127.0.0.1), or host:port, such as 0.0.0.0:8026'),
  token: z
    .string()
    .regex(/^(.{16,})?$/, 'a token has at least 16 characters')
    .meta({ mach: 'secret' })
    .default('')
    .describe(
      'what Grafana must send as `authorization: Bearer TOKEN`; only where `listen` is of this machine alone it may be empty: then only application/json for an address of this machine is taken',
    ),
});
type Options = z.output<typeof options>;

/** The alerts, or a dead letter with the reason. */
function decode(raw: Uint8Array, place: Readonly<Record<string, string>>): AppendRequest {
  try {
    return { origin, ...readNotification(Buffer.from(raw).toString('utf8')) };
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : jsonProblem(error);
    const { code, message } = grafanaErrors.make('MACH2801', { reason });
    const letter = { code, reason: message, raw: raw.subarray(0, limits.deadLetterBytesMax), place };
    return { origin, events: [], deadLetters: [letter] };
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bodyBytesMax) throw grafanaErrors.make('MACH2802', { max: bodyBytesMax });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  if (token === '') return true;
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Served {
  readonly context: SourceContext;
  readonly token: string;
  /** Where it listens. */
  readonly host: string;
}

async function answer(request: IncomingMessage, { context, token, host }: Served): Promise<Answer> {
  const asked = token === '' ? strangeHost(request, host) : undefined;
  if (asked !== undefined) return { status: 403, text: `"${asked}" is not an address of this machine\n` };
  // A page of another site cannot send this type unasked.
  if (token === '' && !/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    return { status: 415, text: 'notifications are application/json\n' };
  if (!isAllowed(request, token)) return { status: 401, text: 'the token is not the one that was agreed\n' };
  if (request.method !== 'POST') return { status: 405, text: 'notifications are posted\n' };
  try {
    const accepted = decode(await readBody(request), { connection: String(request.socket.remoteAddress) });
    await context.append(accepted);
    const [letter] = accepted.deadLetters ?? [];
    // Grafana would send what cannot be read again and again: it is kept, and that is the answer.
    return letter ? { status: 422, text: `${letter.reason}\n` } : { status: 204, text: '' };
  } catch (error) {
    const isTooLarge = (error as { code?: string }).code === 'MACH2802';
    return { status: isTooLarge ? 413 : 503, text: `${messageOf(error)}\n` };
  }
}

function addressOf(listen: Options['listen']): { host: string; port: number } {
  if (typeof listen === 'number') return { host: '127.0.0.1', port: listen };
  const cut = listen.lastIndexOf(':');
  return { host: listen.slice(0, cut).replace(/^\[|\]$/g, ''), port: Number(listen.slice(cut + 1)) };
}

function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(grafanaErrors.make('MACH2803', { address: `${host}:${port}`, reason: error.message }, error)),
    );
    server.listen(port, host, resolve);
  });
}

async function open({ listen, token }: Options, context: SourceContext): Promise<RunningSource> {
  const address = addressOf(listen);
  const server = createServer((request, response) => {
    void answer(request, { context, token, host: address.host }).then(({ status, text }) => {
      // What is still coming of a body that is too large is not read.
      if (!request.complete) response.setHeader('connection', 'close');
      response.writeHead(status).end(text);
    });
  });
  server.requestTimeout = requestTimeoutMs;
  server.maxConnections = connectionsMax;
  await listening(server, address);
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`,
    close: () => closeServer(server),
  };
}

export const grafana = defineSource({
  name: 'grafana',
  status: 'beta',
  summary: "Takes notifications of Grafana's alert rules, posted by a contact point of the type webhook.",
  options,
  durability: 'disk',
  examples: [{ title: 'from Grafana on this machine', options: { listen: 8026, token: 'a-token-of-sixteen-or-more' } }],
  bind({ options, check }) {
    const { host } = addressOf(options.listen);
    if (options.token === '' && !isLoopback(host)) {
      check.problem('token', `whoever reaches ${host} could post: a token is needed`);
    }
    return {
      ports: { out: alertSchema },
      async decode(content, name) {
        const { events, deadLetters = [] } = decode(content, { file: name });
        return { events, deadLetters };
      },
      open: (context) => open(options, context),
    };
  },
});
