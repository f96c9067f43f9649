/**
 * Source `nats`: JSON on plain subjects. Plain NATS delivers at most once: a message that comes while the engine is away, or
 * beyond `pending`, is lost to it. A sender that wants to know asks for a reply, which comes once the message is in the log.
 */
import type { Msg } from '@nats-io/transport-node';
import { z } from 'zod';
import {
  type DeadLetter,
  type DecodeResult,
  defineSource,
  fieldName,
  jsonProblem,
  limits,
  messageOf,
  type RunningSource,
  refusePersonalOrigin,
  type SourceContext,
  type SourceEvent,
} from '../../runtime/stream/index.ts';
import { type Connect, connectionOptions, openConnection, subjectProblem } from './connection.ts';
import { natsErrors } from './errors.ts';
import { compileEventSchema, type EventSchema, eventFields } from './event-schema.ts';
import { natsLimits } from './limits.ts';

const options = z.strictObject({
  ...connectionOptions,
  subject: z.string().min(1).describe('subject to listen to; * stands for one word, > for the rest'),
  queue: z
    .string()
    .min(1)
    .optional()
    .describe('queue group: of several engines with one group each message goes to one'),
  schema: eventFields.describe('fields of a message: a map of name to type'),
  time: fieldName().optional().describe('field that is the event time; without it the time of arrival'),
  origin: fieldName().optional().describe('field that says who sent it; without it the subject'),
  pending: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe('messages that may wait to be stored; beyond it they are dropped and counted'),
});

interface Reading extends Connect {
  readonly subject: string;
  readonly queue?: string | undefined;
  readonly timeField?: string | undefined;
  readonly originField?: string | undefined;
  readonly pendingMax: number;
  readonly eventSchema: EventSchema;
}

interface Message {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly receivedAt: number;
}

interface MessageRead {
  readonly events: { readonly origin: string; readonly event: SourceEvent }[];
  readonly deadLetters: DeadLetter[];
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The events of a message, a list of objects or one; what is wrong with it is a dead letter of the whole message. */
export function readMessage(
  message: Message,
  reading: Pick<Reading, 'eventSchema' | 'timeField' | 'originField'>,
): MessageRead {
  const { subject, data, receivedAt } = message;
  const refuse = (reason: string, place: object = {}): MessageRead => {
    const { code, message: text } = natsErrors.make('MACH2302', { reason });
    const raw = data.subarray(0, limits.deadLetterBytesMax);
    return { events: [], deadLetters: [{ code, reason: text, raw, place: { subject, ...place } }] };
  };
  let value: unknown;
  let text: string;
  try {
    text = decoder.decode(data);
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON: ${jsonProblem(error)}`);
  }
  const list = Array.isArray(value) ? value : [value];
  if (list.length > natsLimits.eventsPerMessageMax) {
    return refuse(`its list has ${list.length} items, more than the ${natsLimits.eventsPerMessageMax} allowed`);
  }
  const events: MessageRead['events'] = [];
  for (const [index, item] of list.entries()) {
    const result = reading.eventSchema.read(item);
    if ('reason' in result) return refuse(result.reason, Array.isArray(value) ? { item: index } : {});
    const { event } = result;
    const time = reading.timeField === undefined ? receivedAt : (event[reading.timeField] as number);
    const origin = reading.originField === undefined ? subject : String(event[reading.originField]);
    events.push({ origin, event: { event, time, ...(list.length === 1 ? { raw: text } : {}) } });
  }
  return { events, deadLetters: [] };
}

interface Waiting extends Message {
  readonly message: Msg;
}

const notStored = 'MACH2306 the message could not be stored';

/** What is not stored of a group, and why. */
interface Lost {
  readonly messages: number;
  readonly error: unknown;
}

/** Stores what waits, group by group, in order; tells those who asked. One origin may be refused where another is stored: each is told of its own. */
async function storeGroup(group: readonly Waiting[], reading: Reading, context: SourceContext): Promise<Lost> {
  const byOrigin = new Map<string, { events: SourceEvent[]; deadLetters: DeadLetter[] }>();
  const of = (origin: string) => {
    const known = byOrigin.get(origin) ?? { events: [], deadLetters: [] };
    byOrigin.set(origin, known);
    return known;
  };
  const refused = new Map<Waiting, string>();
  const originsOf = new Map<Waiting, Set<string>>();
  for (const waiting of group) {
    const { events, deadLetters } = readMessage(waiting, reading);
    for (const { origin, event } of events) of(origin).events.push(event);
    for (const letter of deadLetters) {
      of(waiting.subject).deadLetters.push(letter);
      refused.set(waiting, `${letter.code} ${letter.reason}`);
    }
    const origins = events.map(({ origin }) => origin);
    originsOf.set(waiting, new Set(deadLetters.length > 0 ? [waiting.subject, ...origins] : origins));
  }
  const failed = new Map<string, unknown>();
  const appends = [...byOrigin].map(([origin, content]) =>
    context.append({ origin, ...content }).catch((error: unknown) => void failed.set(origin, error)),
  );
  await Promise.all(appends);
  let messages = 0;
  for (const waiting of group) {
    const isLost = [...(originsOf.get(waiting) ?? [])].some((origin) => failed.has(origin));
    if (isLost) messages++;
    if (!waiting.message.reply) continue;
    const error = isLost ? notStored : refused.get(waiting);
    waiting.message.respond(JSON.stringify(error === undefined ? { stored: true } : { stored: false, error }));
  }
  const [error] = failed.values();
  return { messages, error };
}

async function openSource(reading: Reading, context: SourceContext): Promise<RunningSource> {
  const connection = await openConnection(reading, context.node);
  let queue: Waiting[] = [];
  /** Of what waits, and of what is being stored. */
  let pendingBytes = 0;
  let storing: Promise<void> | undefined;
  let problem: string | null = null;

  async function storeAll(): Promise<void> {
    while (queue.length > 0) {
      const group = queue.slice(0, natsLimits.messagesPerAppendMax);
      queue = queue.slice(group.length);
      const { messages, error } = await storeGroup(group, reading, context);
      problem = messages > 0 ? messageOf(error) : null;
      if (group.length > messages) context.count('messages_total', group.length - messages);
      if (messages > 0) {
        // The log has said no after its own retries; these are lost, as plain NATS allows, and said to be.
        context.count('messages_dropped_total', messages, { reason: 'not_stored' });
        context.logger.error({ subject: reading.subject, messages, error: problem }, 'messages lost: not stored');
      }
      for (const { data } of group) pendingBytes -= data.length;
    }
  }

  const subscription = connection.subscribe(reading.subject, {
    ...(reading.queue === undefined ? {} : { queue: reading.queue }),
    callback(error, message) {
      if (error) {
        problem = messageOf(error);
        return;
      }
      const { subject, data } = message;
      if (queue.length >= reading.pendingMax || pendingBytes + data.length > natsLimits.pendingBytesMax) {
        context.count('messages_dropped_total', 1, { reason: 'pending' });
        if (message.reply) message.respond(JSON.stringify({ stored: false, error: notStored }));
        return;
      }
      pendingBytes += data.length;
      queue.push({ subject, data, message, receivedAt: context.clock.now() });
      storing ??= storeAll().finally(() => {
        storing = undefined;
      });
    },
  });
  await connection.flush();
  let away: string | null = null;
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') away = 'disconnected from the NATS server';
      if (type === 'reconnect') away = null;
    }
  })();
  return {
    address: `${connection.getServer()}/${reading.subject}`,
    problem: () => away ?? problem,
    async close() {
      // Drains: what the server had sent before it heard of the end is still taken.
      if (away === null) await subscription.drain().catch(() => undefined);
      while (storing) await storing;
      await connection.close();
    },
  };
}

async function decode(content: Uint8Array, name: string, reading: Reading): Promise<DecodeResult> {
  const events: SourceEvent[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const line of Buffer.from(content).toString().split('\n')) {
    if (line.trim() === '') continue;
    const read = readMessage({ subject: name, data: Buffer.from(line), receivedAt: 0 }, reading);
    events.push(...read.events.map(({ event }) => event));
    deadLetters.push(...read.deadLetters);
  }
  return { events, deadLetters };
}

export const natsSource = defineSource({
  name: 'nats',
  status: 'stable',
  summary:
    'Takes JSON messages from plain NATS subjects (at most once; a sender that asks for a reply is told when its message is stored).',
  options,
  durability: 'broker',
  examples: [
    {
      title: 'counts of waiting rooms from sensors',
      options: {
        url: 'nats://127.0.0.1:4222',
        subject: 'sensors.*.people',
        schema: { hospital: 'string', people: 'int', at: 'timestamp' },
        time: 'at',
        origin: 'hospital',
      },
    },
  ],
  bind({ options: given, check }) {
    const reason = subjectProblem(given.subject, { wildcards: true });
    if (reason) check.problem('subject', natsErrors.make('MACH2303', { subject: given.subject, reason }).message);
    const eventSchema = compileEventSchema(given.schema);
    const required = (option: 'time' | 'origin', kind: 'timestamp' | 'string') => {
      if (given[option] === undefined) return undefined;
      const name = check.field(option, eventSchema.schema, kind);
      if (eventSchema.schema.fields[name]?.nullable)
        check.problem(option, `${name} may be absent, but every message needs its ${option}`);
      if (option === 'origin') refusePersonalOrigin(name, eventSchema.schema, check);
      return name;
    };
    const reading: Reading = {
      ...given,
      eventSchema,
      pendingMax: given.pending,
      timeField: required('time', 'timestamp'),
      originField: required('origin', 'string'),
    };
    return {
      ports: { out: eventSchema.schema },
      decode: (content, name) => decode(content, name, reading),
      async redecode({ raw, place, acceptedAt }) {
        const { events, deadLetters } = readMessage(
          { subject: String(place.subject ?? ''), data: raw, receivedAt: acceptedAt },
          reading,
        );
        return { events: events.map(({ event }) => event), deadLetters };
      },
      probe: async () => (await openConnection(reading, 'mach check')).close(),
      open: (context) => openSource(reading, context),
    };
  },
});
