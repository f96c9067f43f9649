/**
 * Appends over one subscription for all acknowledgements. `js.publish` makes a promise, a timer and a subscription entry
 * for each message and reaches a tenth of this.
 */
import { createInbox, type Msg, headers as makeHeaders, type NatsConnection } from '@nats-io/transport-node';
import type { AppendOutcome, AppendRequest, AppendTransport } from '../append-window.ts';
import { identityHeader } from '../append-window.ts';
import { bytesOf } from '../log.ts';
import { serverLimits } from '../server-limits.ts';
import type { Connection } from './connection.ts';
import { fenceHeader, storedMessage } from './message.ts';

/** Codes of the server (`server/errors.json` of nats-server). */
const errorCodes = {
  wrongLastSequence: new Set([10070, 10071, 10164]),
  tooLarge: new Set([10054]),
  full: new Set([10023, 10028, 10047]),
  /** The storage did not take it; the words say why. */
  storeFailed: 10077,
  /** No leader, another attempt with this identity is being stored, too many at once. */
  transient: new Set([10008, 10009, 10076, 10158, 10167]),
};

interface PublishAcknowledgement {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

function readAcknowledgement(message: Msg): AppendOutcome {
  const { data } = message;
  if (data.length === 0) {
    const code = message.headers?.code ?? 0;
    return { kind: 'unknown', reason: code === 503 ? 'nobody answers for the subject' : `empty answer ${code}` };
  }
  let acknowledgement: PublishAcknowledgement;
  try {
    acknowledgement = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  } catch {
    return { kind: 'unknown', reason: 'an answer that is not JSON' };
  }
  const { error, seq, duplicate } = acknowledgement;
  if (!error && typeof seq === 'number' && seq > 0)
    return { kind: 'stored', sequence: seq, duplicate: duplicate === true };
  if (!error) return { kind: 'unknown', reason: 'an answer without a sequence' };
  const code = error.err_code ?? 0;
  const reason = error.description ?? `error ${error.code}`;
  if (errorCodes.wrongLastSequence.has(code)) return { kind: 'fenced' };
  if (errorCodes.full.has(code)) return { kind: 'full', reason };
  if (code === errorCodes.storeFailed && /maximum|space/i.test(reason)) return { kind: 'full', reason };
  if (errorCodes.tooLarge.has(code)) return { kind: 'too-large', reason, limitBytes: 0 };
  if (errorCodes.transient.has(code) || error.code === 503) return { kind: 'unknown', reason };
  return { kind: 'refused', reason };
}

export interface Publisher {
  readonly transport: AppendTransport;
  close(): void;
}

/** What the server takes as one payload, less room for our headers. */
export function payloadBytesMax(nats: NatsConnection): number {
  return (nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - serverLimits.headerBytesMax / 16;
}

export function openPublisher(
  connection: Connection,
  settle: (token: number, outcome: AppendOutcome) => void,
): Publisher {
  const { nats, manager } = connection;
  const inbox = createInbox();
  const tokenStart = inbox.length + 1;
  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) return;
      settle(Number.parseInt(message.subject.slice(tokenStart), 36), readAcknowledgement(message));
    },
  });

  function send(token: number, request: AppendRequest): void {
    const { id, expectedLastSubjectSequence } = request;
    const payload = bytesOf(request.payload);
    const limitBytes = payloadBytesMax(nats);
    if (payload.length > limitBytes) {
      settle(token, { kind: 'too-large', reason: 'max_payload of the server', limitBytes });
      return;
    }
    const headers = makeHeaders();
    if (request.headers) for (const [key, value] of Object.entries(request.headers)) headers.set(key, value);
    headers.set(identityHeader, id);
    headers.set('Nats-Expected-Stream', request.stream);
    if (expectedLastSubjectSequence !== undefined) {
      headers.set(fenceHeader, String(expectedLastSubjectSequence));
    }
    nats.publish(request.subject, payload, { reply: `${inbox}.${token.toString(36)}`, headers });
  }

  return {
    transport: {
      send,
      async last(stream, subject) {
        const stored = await manager.streams.getMessage(stream, { last_by_subj: subject });
        return stored ? storedMessage(stored) : undefined;
      },
    },
    close: () => subscription.unsubscribe(),
  };
}
