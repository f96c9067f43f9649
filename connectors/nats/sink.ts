/** Sink `nats`: each row as JSON on a plain subject. */
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import {
  type BoundInput,
  type Checker,
  defineSink,
  type Event,
  inputs,
  jsonRow,
  type RunningSink,
  refuseDirectIn,
  type SinkContext,
  type SinkRow,
} from '../../runtime/stream/index.ts';
import { type Connect, connectionOptions, openConnection, subjectProblem } from './connection.ts';
import { natsErrors } from './errors.ts';
import { natsLimits } from './limits.ts';

const options = z.strictObject({
  from: inputs(),
  ...connectionOptions,
  url: connectionOptions.url
    .optional()
    .describe('address of the server; without it the one that the engine itself uses'),
  subject: z
    .string()
    .min(1)
    .describe('subject of a row; {field} stands for a value of the row: alerts.{hospital}, but for one tagged direct'),
});

type MakeSubject = (event: Event) => string;

/** A value as one word: dots, spaces and wildcards would make another subject of it. */
const wordOf = (value: unknown) => String(value ?? 'none').replaceAll(/[\s.*>\p{Cc}]/gu, '_') || 'none';

function makeSubjectOf(subject: string, schemas: readonly BoundInput[], check: Checker): MakeSubject {
  const parts = subject.split(/\{([^{}]*)\}/);
  for (const [index, name] of parts.entries()) {
    if (index % 2 === 0) continue;
    for (const { schema, from } of schemas) {
      if (name in schema.fields) {
        refuseDirectIn('subject', name, schema, check);
        continue;
      }
      check.problem('subject', `"${name}" is not a field of ${from}; it has ${Object.keys(schema.fields).join(', ')}`);
    }
  }
  const reason = subjectProblem(parts.map((part, index) => (index % 2 ? 'x' : part)).join(''), { wildcards: false });
  if (reason) check.problem('subject', natsErrors.make('MACH2303', { subject, reason }).message);
  if (parts.length === 1) return () => subject;
  return (event) => parts.map((part, index) => (index % 2 ? wordOf(event[part]) : part)).join('');
}

const encoder = new TextEncoder();
/** What a message has beside its payload. */
const headBytes = 256;

type Refused = { row: SinkRow; code: string; reason: string };

interface Form {
  readonly subjectOf: MakeSubject;
  readonly rowOf: (event: Event) => Event;
}

/** Each row as a message; those that the server would not take are given back. */
function publishEach(
  rows: Iterable<SinkRow>,
  { subjectOf, rowOf }: Form,
  { bytesMax, publish }: { bytesMax: number; publish(subject: string, payload: Uint8Array, row: SinkRow): void },
): Refused[] {
  const refused: Refused[] = [];
  for (const row of rows) {
    const payload = encoder.encode(JSON.stringify(rowOf(row.event)));
    if (payload.length + headBytes <= bytesMax) publish(subjectOf(row.event), payload, row);
    else {
      const { code, message } = natsErrors.make('MACH2305', { bytes: payload.length, bytes_max: bytesMax });
      refused.push({ row, code, reason: message });
    }
  }
  return refused;
}

async function confirm(connection: NatsConnection, rows: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(natsErrors.make('MACH2304', { rows, timeout_ms: natsLimits.confirmTimeoutMs })),
      natsLimits.confirmTimeoutMs,
    );
  });
  try {
    // The answer to a ping comes after the server has read everything before it.
    await Promise.race([connection.flush(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function openOwn(connect: Connect, form: Form, context: SinkContext): Promise<RunningSink> {
  const connection = await openConnection(connect, context.node);
  const { headers } = await import('@nats-io/transport-node');
  let connected = true;
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') connected = false;
      if (type === 'reconnect') connected = true;
    }
  })();
  return {
    async write(rows) {
      // What is published meanwhile would pile up in the client, once for every try.
      if (!connected) throw natsErrors.make('MACH2301', { url: connection.getServer(), reason: 'disconnected' });
      const refused = publishEach(rows, form, {
        bytesMax: connection.info?.max_payload ?? 1024 * 1024,
        publish(subject, payload, { stage, partition, sequence, index }) {
          const meta = headers();
          meta.set('Nats-Msg-Id', `${context.node}/${stage}/${partition}/${sequence}/${index}`);
          connection.publish(subject, payload, { headers: meta });
        },
      });
      await confirm(connection, rows.length);
      context.count('messages_published_total', rows.length - refused.length);
      return refused;
    },
    close: () => connection.close(),
  };
}

function openShared(form: Form, context: SinkContext): RunningSink {
  return {
    async write(rows) {
      const { publishBytesMax: bytesMax } = context;
      const publish = (subject: string, payload: Uint8Array) => context.publish(subject, payload);
      const refused = publishEach(rows, form, { bytesMax, publish });
      context.count('messages_published_total', rows.length - refused.length);
      return refused;
    },
    async close() {},
  };
}

export const natsSink = defineSink({
  name: 'nats',
  status: 'stable',
  summary:
    'Publishes each row as JSON on a NATS subject, with a stable message id (at least once; once in a stream that deduplicates).',
  options,
  examples: [
    {
      title: 'alerts for other systems',
      options: { from: 'alerts', url: 'nats://127.0.0.1:4222', subject: 'mach.alerts' },
    },
    {
      title: 'a subject for each hospital',
      options: { from: 'alerts', url: 'nats://127.0.0.1:4222', subject: 'mach.alerts.{hospital}' },
    },
  ],
  bind({ options: given, inputs: bound, check }) {
    const schemas = Object.values(bound);
    const form = {
      subjectOf: makeSubjectOf(given.subject, schemas, check),
      rowOf: jsonRow(schemas[0]?.schema ?? { fields: {} }),
    };
    const { url } = given;
    if (url === undefined) {
      return { open: async (context) => openShared(form, context) };
    }
    const connect = { ...given, url };
    return {
      probe: async () => (await openConnection(connect, 'mach check')).close(),
      open: (context) => openOwn(connect, form, context),
    };
  },
});
