/** Source `alert-actions`: what people do about alerts, posted as JSON and answered once it is in the log. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import {
  closeServer,
  type DecodeResult,
  defineSource,
  field,
  isLoopback,
  jsonProblem,
  limits,
  messageOf,
  type RunningSource,
  type Schema,
  type SourceContext,
  type SourceEvent,
  strangeHost,
} from '../../runtime/stream/index.ts';
import { alertActionErrors } from './errors.ts';

export { alertActionErrors } from './errors.ts';

/** Body of one request, and how long one may take. */
const bodyBytesMax = 16 * 1024;
const requestTimeoutMs = 10_000;
const connectionsMax = 64;

const person = { nullable: true, privacy: 'quasi' } as const;

const schema: Schema = {
  fields: {
    action: field.string({ values: ['acknowledge', 'assign', 'note'], repeated: true }),
    // An id holds the key of its alert, and what the keys of all alerts are is not known here: one may be a person's.
    alert_id: field.string({ privacy: 'quasi', description: 'the alert that it is about' }),
    by: field.string({ privacy: 'quasi', description: 'who does it' }),
    to: field.string({ ...person, description: 'to whom the alert is assigned' }),
    note: field.string({ ...person, description: 'what is to be known about it' }),
  },
};

const text = (max: number) => z.string().trim().min(1).max(max);

const actionForm = z
  .strictObject({
    action: z.enum(['acknowledge', 'assign', 'note']),
    // As it is: it holds the key of its alert, which may be long, and begin or end with a space.
    alert_id: z.string().min(1).max(limits.alertIdLengthMax),
    by: text(200),
    to: text(200).nullable().default(null),
    note: text(2_000).nullable().default(null),
  })
  .refine(({ action, to }) => action !== 'assign' || to !== null, 'assign needs `to`')
  .refine(({ action, note }) => action !== 'note' || note !== null, 'note needs `note`');

const options = z.strictObject({
  listen: z
    .union([z.number().int().min(0).max(65_535), z.string().regex(/^(?:.+:)?\d{1,5}$/, 'a port, or host:port')])
    .default(2580)
    .describe('port, on the loopback address alone, or host:port')
    .meta({ examples: [2580, '0.0.0.0:2580'] }),
  tokens: z
    .array(z.string().min(16, 'a token has at least 16 characters').meta({ mach: 'secret' }))
    .default([])
    .describe('clients must send one of these as `authorization: Bearer TOKEN`; needed beyond loopback'),
});

type Options = z.output<typeof options>;

interface Answer {
  readonly status: number;
  readonly body: object;
}

const refusal = (status: number, reason: string): Answer => {
  const { code, message } = alertActionErrors.make('MACH2602', { reason });
  return { status, body: { code, message } };
};

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The action of a text, or what is wrong with it. */
function readAction(body: string): z.output<typeof actionForm> | string {
  try {
    const { success, data, error } = actionForm.safeParse(JSON.parse(body));
    return success ? data : z.prettifyError(error).replace(/\s+/g, ' ');
  } catch (error) {
    return `it is not JSON: ${jsonProblem(error)}`;
  }
}

/** With the action: a key that is used for another one says nothing of it. Hashed: keys are as long as clients like, and are remembered. */
function identityOf(key: IncomingHttpHeaders[string], raw: Buffer): string | undefined {
  if (key === undefined) return undefined;
  return createHash('sha256').update(`${key}\u0000`).update(raw).digest('base64url');
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

function mayAct({ headers }: IncomingMessage, tokens: readonly Buffer[]): boolean {
  if (tokens.length === 0) return true;
  const given = hashOf(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
  return tokens.some((token) => timingSafeEqual(token, given));
}

interface Served {
  readonly context: SourceContext;
  readonly tokens: readonly Buffer[];
  /** Where it listens. */
  readonly host: string;
}

async function take(request: IncomingMessage, { context, tokens, host }: Served): Promise<Answer> {
  const asked = tokens.length === 0 ? strangeHost(request, host) : undefined;
  if (asked !== undefined) return refusal(403, `"${asked}" is not an address of this machine`);
  if (request.method !== 'POST') return refusal(405, 'actions are posted');
  if (!mayAct(request, tokens)) return refusal(401, 'it has no token that is known');
  // A page of another site cannot send this type unasked.
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    return refusal(415, 'it is not application/json');
  const raw = await bodyOf(request);
  if (raw === undefined) return refusal(413, `it is longer than ${bodyBytesMax} bytes (bodyBytesMax)`);
  const action = readAction(raw.toString('utf8'));
  if (typeof action === 'string') return refusal(422, action);
  const id = identityOf(request.headers['idempotency-key'], raw);
  const event: SourceEvent = { event: action, time: context.clock.now(), raw: raw.toString('utf8') };
  try {
    await context.append({ origin: 'people', events: [event], ...(id === undefined ? {} : { id }) });
  } catch (error) {
    return { status: 503, body: { code: null, message: messageOf(error) } };
  }
  context.count('actions_total', 1, { action: action.action });
  return { status: 200, body: { stored: true } };
}

function addressOf(listen: Options['listen']): { host: string; port: number } {
  if (typeof listen === 'number') return { host: '127.0.0.1', port: listen };
  const cut = listen.lastIndexOf(':');
  const host = cut < 0 ? '127.0.0.1' : listen.slice(0, cut).replace(/^\[|\]$/g, '');
  return { host, port: Number(listen.slice(cut + 1)) };
}

async function open({ listen, tokens }: Options, context: SourceContext): Promise<RunningSource> {
  const { host, port } = addressOf(listen);
  const hashes = tokens.map(hashOf);
  const server: Server = createServer((request, response) => {
    void take(request, { context, tokens: hashes, host })
      .catch((error): Answer => ({ status: 500, body: { code: null, message: messageOf(error) } }))
      .then(({ status, body }) => {
        // What is still coming of a body that is too large is not read.
        if (!request.complete) response.setHeader('connection', 'close');
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
        response.end(`${JSON.stringify(body)}\n`);
      });
  });
  server.requestTimeout = requestTimeoutMs;
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(alertActionErrors.make('MACH2601', { address: `${host}:${port}`, reason: error.message }, error));
    });
    server.listen(port, host, resolve);
  });
  server.on('error', () => undefined);
  const { port: bound } = server.address() as AddressInfo;
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () => closeServer(server),
  };
}

/** Actions of a file, one on each line, for `mach decode` and tests of topologies. */
async function decode(content: Uint8Array): Promise<DecodeResult> {
  const events: SourceEvent[] = [];
  const deadLetters: DecodeResult['deadLetters'][number][] = [];
  for (const [index, line] of Buffer.from(content).toString('utf8').split('\n').entries()) {
    if (line.trim() === '') continue;
    const action = readAction(line);
    if (typeof action !== 'string') {
      events.push({ event: action, time: 0, raw: line });
      continue;
    }
    const { code, message } = alertActionErrors.make('MACH2602', { reason: action });
    deadLetters.push({ code, reason: message, raw: Buffer.from(line), place: { line: index + 1 } });
  }
  return { events, deadLetters };
}

export const alertActions = defineSource({
  name: 'alert-actions',
  status: 'stable',
  summary:
    'Takes what people do about alerts (acknowledge, assign, note), posted as JSON over HTTP and answered once it is in the log.',
  options,
  durability: 'disk',
  examples: [
    { title: 'from the boards of this machine', options: { listen: 2580 } },
    {
      title: 'from other machines, with a token',
      options: { listen: '0.0.0.0:2580', tokens: ['${env:ALERT_ACTIONS_TOKEN}'] },
    },
  ],
  bind({ options: given, check }) {
    const { host } = addressOf(given.listen);
    if (given.tokens.length === 0 && !isLoopback(host)) {
      check.problem(
        'tokens',
        `${host} can be reached from elsewhere: everyone there could acknowledge alerts`,
        'name tokens',
      );
    }
    return { ports: { out: schema }, decode, open: (context) => open(given, context) };
  },
});
