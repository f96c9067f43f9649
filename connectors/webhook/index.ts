/** Sink `webhook`: rows as JSON by POST, each at least once, with a key by which the receiver can take each once. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  defineSink,
  duration,
  type Event,
  hasPersonal,
  httpHeaders,
  inputs,
  jsonRow,
  messageOf,
  type RunningSink,
  type Schema,
  type SinkContext,
  type SinkRow,
} from '../../runtime/stream/index.ts';
import { type Delivery, type DeliveryOptions, makeDelivery } from './deliver.ts';
import { webhookErrors } from './errors.ts';
import { webhookLimits } from './limits.ts';
import { makePoster, type TlsFiles } from './post.ts';

const options = z.strictObject({
  from: inputs(),
  url: z.url({ protocol: /^https?$/ }).describe('where to'),
  send: z
    .enum(['batch', 'row'])
    .default('batch')
    .describe('batch: a list of rows in one request; row: one object in each'),
  rows: z.number().int().min(1).max(10_000).default(100).describe('rows in one request of a batch'),
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('requests at once; more than one gives up their order'),
  headers: httpHeaders(),
  secret: z
    .string()
    .min(16, 'a secret has at least 16 characters')
    .optional()
    .meta({ mach: 'secret' })
    .describe('signs each request (Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature)'),
  timeout: duration().prefault('10s').describe('for one request and its answer'),
  attempts: z
    .number()
    .int()
    .min(1)
    .max(20)
    .default(4)
    .describe('tries of a request before the batch waits for its next turn'),
  failures: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(10)
    .describe('failures in a row after which the receiver is left alone'),
  rest: duration().prefault('30s').describe('how long it is left alone'),
  tls: z
    .strictObject({
      ca: z
        .string()
        .min(1)
        .optional()
        .describe('certificates that may sign the receiver: the path of a PEM file, or its text'),
      cert: z.string().min(1).optional().describe('our certificate'),
      key: z.string().min(1).optional().meta({ mach: 'secret' }).describe('its key'),
    })
    .default({}),
});

type Options = z.output<typeof options>;
type Refused = { row: SinkRow; code: string; reason: string };

const isPem = (text: string) => text.includes('-----BEGIN ');

async function readTls(files: Options['tls']): Promise<TlsFiles> {
  const tls: Record<string, Buffer> = {};
  try {
    for (const [part, text] of Object.entries(files)) {
      if (text !== undefined) tls[part] = isPem(text) ? Buffer.from(text) : await readFile(text);
    }
  } catch (error) {
    throw webhookErrors.make('MACH2405', { reason: messageOf(error) }, error);
  }
  return tls;
}

/** A request in the making: its rows, and the key that stays the same however often it is sent. */
interface Parcel {
  readonly rows: readonly SinkRow[];
  readonly id: string;
}

const rowId = (node: string, { stage, partition, sequence, index }: SinkRow) =>
  `${node}/${stage}/${partition}/${sequence}/${index}`;

interface Form {
  readonly send: Options['send'];
  readonly rowOf: (event: Event) => Event;
}

function bodyOf({ rows }: Parcel, { send, rowOf }: Form): Buffer {
  const events = rows.map(({ event }) => rowOf(event));
  return Buffer.from(JSON.stringify(send === 'row' ? events[0] : events));
}

/** Statuses that may be due to one row of many. */
const aboutContent = new Set([400, 413, 422]);

/** Delivers a parcel; one that is refused for its content is halved until the row at fault is alone. */
async function deliver(parcel: Parcel, form: Form, delivery: Delivery): Promise<Refused[]> {
  const { rows, id } = parcel;
  const body = bodyOf(parcel, form);
  const isTooLarge = body.length > webhookLimits.requestBytesMax;
  if (!isTooLarge || rows.length === 1) {
    const outcome = await delivery.deliver(body, id);
    if (outcome.taken) return [];
    if (rows.length === 1 || !aboutContent.has(outcome.status)) {
      return rows.map((row) => ({ row, code: 'MACH2401', reason: outcome.reason }));
    }
  }
  const middle = rows.length >> 1;
  const first = await deliver({ rows: rows.slice(0, middle), id: `${id}<` }, form, delivery);
  return [...first, ...(await deliver({ rows: rows.slice(middle), id: `${id}>` }, form, delivery))];
}

function cut(rows: readonly SinkRow[], token: string, given: Options, node: string): Parcel[] {
  if (given.send === 'row') return rows.map((row) => ({ rows: [row], id: rowId(node, row) }));
  const parcels: Parcel[] = [];
  for (let from = 0; from < rows.length; from += given.rows) {
    parcels.push({ rows: rows.slice(from, from + given.rows), id: `${token}#${from}` });
  }
  return parcels;
}

async function openSink(given: Options, schema: Schema, context: SinkContext): Promise<RunningSink> {
  const url = new URL(given.url);
  const poster = makePoster({
    url,
    timeoutMs: given.timeout,
    connectionsMax: given.concurrency,
    tls: await readTls(given.tls),
    now: () => context.clock.now(),
  });
  const options: DeliveryOptions = {
    url,
    headers: given.headers,
    secret: given.secret,
    hidesAnswers: hasPersonal(schema),
    attemptsMax: given.attempts,
    failuresMax: given.failures,
    restMs: given.rest,
  };
  const delivery = await makeDelivery(options, poster, context);
  const form = { send: given.send, rowOf: jsonRow(schema) };
  // What was done of the batch that is under way, so that its next turn sends only the rest.
  let current = { token: '', done: new Map<string, Refused[]>() };
  return {
    async write(rows, token) {
      if (current.token !== token) current = { token, done: new Map() };
      const { done } = current;
      const parcels = cut([...rows], token, given, context.node);
      let next = 0;
      let failed: unknown;
      const work = async () => {
        for (let parcel = parcels[next++]; parcel && failed === undefined; parcel = parcels[next++]) {
          if (done.has(parcel.id)) continue;
          try {
            done.set(parcel.id, await deliver(parcel, form, delivery));
          } catch (error) {
            failed ??= error;
          }
        }
      };
      await Promise.all(Array.from({ length: given.concurrency }, work));
      if (failed !== undefined) throw failed;
      return parcels.flatMap(({ id }) => done.get(id) ?? []);
    },
    async close() {
      poster.close();
    },
  };
}

export const webhook = defineSink({
  name: 'webhook',
  status: 'stable',
  summary:
    'Sends rows as JSON by POST, each at least once, with an idempotency key; tries again with growing waits and a breaker.',
  options,
  examples: [
    {
      title: 'alerts to a duty system, one by one',
      options: {
        from: 'alerts',
        url: 'https://duty.example.org/alerts',
        send: 'row',
        headers: { authorization: 'Bearer ${env:DUTY_TOKEN}' },
      },
    },
    {
      title: 'signed batches',
      options: { from: 'status', url: 'https://example.org/hook', secret: '${env:HOOK_SECRET}', rows: 500 },
    },
  ],
  bind({ options: given, inputs: bound, check }) {
    const tls: Record<string, string> = {};
    for (const [part, text] of Object.entries(given.tls)) {
      if (text === undefined) continue;
      tls[part] = isPem(text) ? text : check.resolveFile(text);
      if (!isPem(text) && !existsSync(tls[part])) check.problem(['tls', part], `the file ${text} does not exist`);
    }
    if ((given.tls.cert === undefined) !== (given.tls.key === undefined))
      check.problem('tls', '"cert" and "key" come together');
    const url = new URL(given.url);
    if (url.username || url.password)
      check.problem('url', 'credentials belong into "headers", not into the address, which is shown');
    const schema = Object.values(bound)[0]?.schema ?? { fields: {} };
    return { open: (context) => openSink({ ...given, tls }, schema, context) };
  },
});

export { webhookErrors };
