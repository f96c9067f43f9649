/** Messages as JetStream delivers them and as it gives them out singly. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { LogMessage } from '../log.ts';

function recordOf(headers: MsgHdrs | undefined): Record<string, string> {
  const record: Record<string, string> = {};
  if (headers) for (const key of headers.keys()) record[key] = headers.get(key);
  return record;
}

export interface Delivery {
  readonly sequence: number;
  /** Position in what this consumer has delivered, from 1, without gaps. */
  readonly deliverySequence: number;
  readonly storedAt: number;
}

/**
 * Reads the subject for acknowledgements, which carries the position:
 * `$JS.ACK.[domain.account.]stream.consumer.deliveries.sequence.delivery.nanoseconds.pending[.random]`
 */
export function parseDelivery(reply: string | undefined): Delivery | undefined {
  const parts = reply?.split('.') ?? [];
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || parts.length < 9) return undefined;
  const base = parts.length === 9 ? 2 : 4;
  return {
    sequence: Number(parts[base + 3]),
    deliverySequence: Number(parts[base + 4]),
    // Nanoseconds do not fit a double; what is lost is far below the millisecond that is kept.
    storedAt: Math.floor(Number(parts[base + 5]) / 1e6),
  };
}

/** Header by which an append is fenced; the broker keeps it with the message. */
export const fenceHeader = 'Nats-Expected-Last-Subject-Sequence';

/** Reads its headers when first asked: most readers never ask. */
export class DeliveredMessage implements LogMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly storedAt: number;
  #message: Msg | undefined;
  #headers: Record<string, string> | undefined;

  constructor(message: Msg, delivery: Delivery) {
    this.sequence = delivery.sequence;
    this.subject = message.subject;
    this.payload = message.data;
    this.storedAt = delivery.storedAt;
    this.#message = message;
  }

  /** Sequence of the message of its subject before this one, where the append was fenced by it. */
  get previousOfSubject(): number | undefined {
    const sequence = this.#message ? this.#message.headers?.get(fenceHeader) : this.#headers?.[fenceHeader];
    return sequence ? Number(sequence) : undefined;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= recordOf(this.#message?.headers);
    this.#message = undefined;
    return this.#headers;
  }
}

export function storedMessage(stored: StoredMsg): LogMessage {
  return {
    sequence: stored.seq,
    subject: stored.subject,
    payload: stored.data,
    headers: recordOf(stored.header),
    storedAt: Math.floor(stored.time.getTime()),
  };
}
