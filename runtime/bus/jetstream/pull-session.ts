/**
 * One consumer of the broker for one reader, for as long as nothing goes wrong: an ephemeral consumer without
 * acknowledgements, and pull requests as the reader's buffer has room. It ends, with its reason, at the first sign of
 * trouble; what it has buffered until then is in order and without gaps. The reader opens the next one.
 *
 * Not the iterator of @nats-io/jetstream: that bounds messages or bytes but not both, and stalls for up to two heartbeats
 * on statuses that are acted on at once here.
 */
import { AckPolicy, type ConsumerConfig, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos, nuid } from '@nats-io/transport-node';
import type { Timer } from '../../clock.ts';
import { limits } from '../../limits.ts';
import type { Connection } from './connection.ts';
import { DeliveredMessage, parseDelivery } from './message.ts';

const pullExpiresMs = 5_000;
const heartbeatMs = 1_000;
/** Two and a half heartbeats without a sign of life, while a request is open. */
const silenceMaxMs = 2_500;
/** A consumer that nobody asks for so long is removed by the broker. */
const consumerInactiveMs = 60_000;

export interface PullSession {
  /** The next message, or undefined when the session has ended and its buffer is empty. */
  next(): Promise<DeliveredMessage | undefined>;
  /** Messages that have arrived so far, buffered or handed on. */
  readonly arrived: number;
  readonly buffered: number;
  readonly endReason: string | undefined;
  end(reason: string): void;
}

export interface PullSessionOptions {
  readonly connection: Connection;
  readonly stream: string;
  readonly fromSequence: number;
  readonly subjects: readonly string[] | undefined;
  readonly readAheadMessages: number;
}

function consumerConfiguration({ fromSequence, subjects }: PullSessionOptions): Partial<ConsumerConfig> {
  return {
    name: `mach-${nuid.next()}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSequence,
    replay_policy: ReplayPolicy.Instant,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(consumerInactiveMs),
    ...(subjects === undefined ? {} : { filter_subjects: [...subjects] }),
  };
}

/** Rejects with what the broker says when the consumer cannot be made. */
export async function openPullSession(options: PullSessionOptions): Promise<PullSession> {
  const { connection, stream, readAheadMessages } = options;
  const { nats, manager, clock } = connection;
  const { name } = await manager.consumers.add(stream, consumerConfiguration(options));
  const inbox = createInbox();
  const requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`;
  // Two requests of half the read-ahead: while one is being used up the other is open, so that nobody waits for a turn.
  const batch = Math.max(1, Math.floor(readAheadMessages / 2));
  const request = JSON.stringify({
    batch,
    // A message larger than what is left of a request ends it; one larger than a whole request would never come.
    max_bytes: Math.max(limits.readRequestBytesMax, 2 * (nats.info?.max_payload ?? 0)),
    expires: nanos(pullExpiresMs),
    idle_heartbeat: nanos(heartbeatMs),
  });

  const buffer: DeliveredMessage[] = [];
  let head = 0;
  let outstanding = 0;
  let requests = 0;
  let arrived = 0;
  let lastDelivery = 0;
  let heardAt = clock.now();
  let endReason: string | undefined;
  let waiter: (() => void) | undefined;
  let watchdog: Timer | undefined;

  const wake = () => {
    const waiting = waiter;
    waiter = undefined;
    waiting?.();
  };

  function end(reason: string): void {
    if (endReason !== undefined) return;
    endReason = reason;
    watchdog?.cancel();
    stopListening();
    if (!nats.isClosed()) {
      subscription.unsubscribe();
      if (connection.up) manager.consumers.delete(stream, name).catch(() => undefined);
    }
    wake();
  }

  function pull(): void {
    while (
      endReason === undefined &&
      buffer.length - head + outstanding + batch <= Math.max(readAheadMessages, batch)
    ) {
      if (outstanding === 0) heardAt = clock.now();
      outstanding += batch;
      nats.publish(requestSubject, request, { reply: `${inbox}.${++requests}` });
    }
  }

  function onStatus(message: Msg): void {
    const { code = 0, description = '' } = message.headers ?? {};
    if (code === 100) {
      const delivered = message.headers?.get('Nats-Last-Consumer');
      if (delivered && Number(delivered) > lastDelivery) end(`messages up to delivery ${delivered} did not arrive`);
      return;
    }
    const left = message.headers?.get('Nats-Pending-Messages');
    if ((code === 408 || code === 409) && left) {
      outstanding = Math.max(0, outstanding - Number(left));
      pull();
      return;
    }
    end(`status ${code} ${description}`);
  }

  function onMessage(message: Msg): void {
    heardAt = clock.now();
    const delivery = parseDelivery(message.reply);
    if (!delivery) {
      if (message.subject.startsWith(inbox)) onStatus(message);
      return;
    }
    if (delivery.deliverySequence !== lastDelivery + 1) {
      end(`delivery ${delivery.deliverySequence} came after ${lastDelivery}`);
      return;
    }
    lastDelivery = delivery.deliverySequence;
    outstanding--;
    arrived++;
    buffer.push(new DeliveredMessage(message, delivery));
    wake();
  }

  function watch(): void {
    watchdog = clock.after(heartbeatMs, () => {
      const silentMs = clock.now() - heardAt;
      if (outstanding > 0 && silentMs > silenceMaxMs) {
        // After a blocked event loop timers run before what has arrived is read: look again after that.
        setImmediate(() =>
          setImmediate(() => clock.now() - heardAt > silenceMaxMs && end(`silent for ${silentMs} ms`)),
        );
      }
      if (endReason === undefined) watch();
    });
  }

  const subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => (error ? end(error.message) : onMessage(message)),
  });
  const stopListening = connection.onDown(() => end('the connection broke'));
  if (!connection.up) end('the connection broke');
  else watch();
  pull();

  return {
    async next() {
      while (head >= buffer.length) {
        if (endReason !== undefined) return undefined;
        await new Promise<void>((resolve) => {
          waiter = resolve;
        });
      }
      const message = buffer[head] as DeliveredMessage;
      head++;
      if (head === buffer.length || head >= readAheadMessages) {
        buffer.splice(0, head);
        head = 0;
      }
      pull();
      return message;
    },
    get arrived() {
      return arrived;
    },
    get buffered() {
      return buffer.length - head;
    },
    get endReason() {
      return endReason;
    },
    end,
  };
}
