/**
 * Leases over JetStream's priority groups (ADR-42, `pinned_client`): a stream of ticks, one subject for each thing that is
 * leased, and one consumer for each. The server gives ticks to one client alone, the pinned one, until that has not asked
 * for `priority_timeout`. Tried out with nats-server 2.15: every request with the right id starts the time-out anew, a request
 * with another id is refused with status 423, and `UNPIN` hands over to a waiting request at once.
 *
 * It decides who tries. It is no lock: fences decide who may write.
 */
import { AckPolicy, type ConsumerConfig, DeliverPolicy, JetStreamApiError, ReplayPolicy } from '@nats-io/jetstream';
import { createInbox, type Msg, nanos } from '@nats-io/transport-node';
import { limits } from '../../limits.ts';
import { keepLease, type LeaseAnswer } from '../lease-keeper.ts';
import { type Lease, type LeaseOptions, leaseStreamSpec, leaseSubject } from '../log.ts';
import { type Connection, isTransient } from './connection.ts';
import { ensureStream } from './stream-config.ts';

const group = 'holder';

function consumerConfiguration(stream: string, options: LeaseOptions): Partial<ConsumerConfig> {
  return {
    durable_name: options.name,
    description: `who holds ${options.name} of ${stream}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.New,
    replay_policy: ReplayPolicy.Instant,
    filter_subject: leaseSubject(options),
    priority_groups: [group],
    priority_policy: 'pinned_client',
    priority_timeout: nanos(limits.leasePinMs),
    // Nothing in it is worth a disk: after a restart of the broker somebody asks first.
    mem_storage: true,
    inactive_threshold: nanos(limits.leaseConsumerInactiveMs),
  };
}

function answerOf(message: Msg): LeaseAnswer {
  const pin = message.headers?.get('Nats-Pin-Id');
  if (pin) return { kind: 'tick', pin };
  return { kind: message.headers?.code === 423 ? 'refused' : 'nothing' };
}

/** Rejects with MACH3016 when the server cannot do it (before 2.11), MACH3009 when it does not answer. */
export async function openLease(connection: Connection, options: LeaseOptions): Promise<Lease> {
  const { nats, manager, clock } = connection;
  const spec = leaseStreamSpec(options.group);
  const { name: stream } = spec;
  const subject = leaseSubject(options);
  const requestSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${options.name}`;
  const payload = new TextEncoder().encode(options.member);
  let making = false;

  const make = async (): Promise<void> => {
    await ensureStream(connection, spec);
    await connection.persist(() => manager.consumers.add(stream, consumerConfiguration(stream, options)));
  };
  /** The broker may have lost the consumer (restart), or the stream (its storage). */
  const makeAgain = (): void => {
    if (making) return;
    making = true;
    void make()
      .catch(() => undefined)
      .finally(() => {
        making = false;
      });
  };
  const publishTick = (): void => {
    if (connection.up) nats.publish(subject, payload);
  };

  await make();
  return keepLease({
    options,
    clock,
    transport: {
      tick: publishTick,
      ask(pin, answer) {
        if (!connection.up) return undefined;
        const expiresMs = pin === undefined ? limits.leaseAskMs : limits.leaseRenewEveryMs;
        const inbox = createInbox();
        const subscription = nats.subscribe(inbox, {
          max: 1,
          callback: (error, message) => {
            if (error) return answer({ kind: 'nothing' });
            const { code = 0 } = message.headers ?? {};
            // Nobody answers, or it is being deleted.
            if (code === 503 || (code === 409 && /delet/i.test(message.headers?.description ?? ''))) makeAgain();
            answer(answerOf(message));
          },
        });
        const request = { batch: 1, expires: nanos(expiresMs), group, ...(pin === undefined ? {} : { id: pin }) };
        nats.publish(requestSubject, JSON.stringify(request), { reply: inbox });
        publishTick();
        return () => {
          if (!nats.isClosed()) subscription.unsubscribe();
        };
      },
      async unpin() {
        try {
          await connection.persist(() => manager.consumers.unpin(stream, options.name, group), {
            deadlineMs: limits.leasePinMs,
          });
        } catch (error) {
          // Then it runs out by itself.
          if (!isTransient(error) && !(error instanceof JetStreamApiError) && !nats.isClosed()) throw error;
        }
      },
    },
  });
}
