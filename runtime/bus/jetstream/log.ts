/** The log over NATS JetStream. */
import { randomUUID } from 'node:crypto';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import {
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { type Clock, steadyClock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { type AppendWindow, openAppendWindow } from '../append-window.ts';
import { logErrors } from '../errors.ts';
import { bytesOf, type Log, type LogStream, type StreamSpec } from '../log.ts';
import { syncAlwaysNamePrefix } from '../server.ts';
import { type Connection, trackConnection } from './connection.ts';
import { openLease } from './leases.ts';
import { storedMessage } from './message.ts';
import { openObjects } from './objects.ts';
import { openPublisher, payloadBytesMax } from './publisher.ts';
import { readStream } from './reader.ts';
import { followRoom } from './room.ts';
import { ensureStream, findStream, specOf } from './stream-config.ts';
import { openSubscription } from './subscription.ts';

export type LogCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** Content of a `.creds` file. */
  | { readonly credentials: string };

export interface ConnectOptions {
  /** One address, or several of one cluster, with commas. */
  readonly url: string;
  readonly credentials?: LogCredentials;
  /** Name of this client in the server's list of connections. */
  readonly name?: string;
  /**
   * For deadlines of the network: real time, whatever clock the engine runs on. A simulated city runs faster than the
   * disk does.
   */
  readonly clock?: Clock;
  /** What is known of the server's disks; otherwise it is found out where it can be. */
  readonly syncAlways?: boolean;
  /** Address of the server's monitoring pages, which say whether it syncs always. */
  readonly monitorUrl?: string;
  readonly connectTimeoutMs?: number;
  /** Deadlines of appends, for tests of their expiry. */
  readonly appendAttemptMs?: number;
  readonly appendDeadlineMs?: number;
  /** Copies of streams that do not say it themselves; what the server's default is (1) when absent. */
  readonly replicas?: number;
  /** Told about breaks of the connection. */
  readonly onEvent?: (event: { readonly kind: 'disconnected' | 'reconnected' }) => void;
}

function connectionOptions(options: ConnectOptions): NodeConnectionOptions {
  const { credentials } = options;
  const base: NodeConnectionOptions = {
    servers: options.url.split(',').map((server) => server.trim()),
    name: options.name ?? 'mach',
    timeout: options.connectTimeoutMs ?? 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    ignoreAuthErrorAbort: true,
    // A half-open connection is found after two of these.
    pingInterval: 10_000,
    noAsyncTraces: true,
  };
  if (!credentials) return base;
  if ('token' in credentials) return { ...base, token: credentials.token };
  if ('user' in credentials) return { ...base, user: credentials.user, pass: credentials.password };
  return { ...base, authenticator: credsAuthenticator(new TextEncoder().encode(credentials.credentials)) };
}

function openStream(connection: Connection, window: AppendWindow, spec: StreamSpec, created: string): LogStream {
  const { manager } = connection;
  return {
    spec,
    get messageBytesMax() {
      return Math.min(limits.frameBytesMax, payloadBytesMax(connection.nats));
    },
    append(subject, given, { id, expectedLastSubjectSequence, headers, whenHeld } = {}) {
      const payload = bytesOf(given);
      if (payload.length > limits.frameBytesMax) {
        const data = { stream: spec.name, subject, bytes: payload.length };
        const error = logErrors.make('MACH3003', {
          ...data,
          limitBytes: limits.frameBytesMax,
          limit: 'limits.frameBytesMax',
        });
        return Promise.reject(error);
      }
      return window.append({ stream: spec.name, subject, payload, id, expectedLastSubjectSequence, headers, whenHeld });
    },
    read: (options) => readStream({ connection, spec, created }, options),
    async last(subject) {
      const stored = await connection.persist(() => manager.streams.getMessage(spec.name, { last_by_subj: subject }));
      return stored ? storedMessage(stored) : undefined;
    },
    async get(sequence) {
      const stored = await connection.persist(() => manager.streams.getMessage(spec.name, { seq: sequence }));
      return stored ? storedMessage(stored) : undefined;
    },
    async state() {
      const { state } = await connection.persist(() => manager.streams.info(spec.name));
      return {
        firstSequence: Math.max(1, state.first_seq),
        lastSequence: state.last_seq,
        messages: state.messages,
        bytes: state.bytes,
      };
    },
  };
}

/** Asks the monitoring pages whether the server syncs before every acknowledgement. */
async function askMonitor(monitorUrl: string): Promise<boolean | undefined> {
  try {
    const response = await fetch(new URL('/varz', monitorUrl), { signal: AbortSignal.timeout(2_000) });
    const page = (await response.json()) as { jetstream?: { config?: { sync_always?: boolean } } };
    return page.jetstream?.config ? page.jetstream.config.sync_always === true : undefined;
  } catch {
    return undefined;
  }
}

async function open(options: ConnectOptions): Promise<NatsConnection> {
  try {
    return await connect(connectionOptions(options));
  } catch (error) {
    throw logErrors.make('MACH3009', { url: withoutSecrets(options.url), reason: messageOf(error) }, error);
  }
}

const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/g, '//');

/** Connects. Rejects with MACH3009 when nobody answers, access is denied or JetStream is not enabled. */
export async function connectLog(options: ConnectOptions): Promise<Log> {
  const nats = await open(options);
  const url = withoutSecrets(options.url);
  const clock = options.clock ?? steadyClock();
  const manager = await jetstreamManager(nats).catch(async (error: unknown) => {
    await nats.close();
    throw logErrors.make('MACH3009', { url, reason: messageOf(error) }, error);
  });
  const connection = trackConnection({ nats, manager, clock, url, replicas: options.replicas });
  const publisher = openPublisher(connection, (token, outcome) => window.settle(token, outcome));
  const window = openAppendWindow({
    transport: publisher.transport,
    clock,
    identityPrefix: randomUUID(),
    ...(options.appendAttemptMs === undefined ? {} : { attemptMs: options.appendAttemptMs }),
    ...(options.appendDeadlineMs === undefined ? {} : { deadlineMs: options.appendDeadlineMs }),
  });
  connection.onDown(() => {
    window.pause();
    options.onEvent?.({ kind: 'disconnected' });
  });
  connection.onUp(() => {
    window.resume();
    options.onEvent?.({ kind: 'reconnected' });
  });
  const room = followRoom(connection, clock, (reason) => window.hold(reason));
  let closing: Promise<void> | undefined;

  /** Buckets in which this process has looked for what puts that died have left. */
  const swept = new Set<string>();
  const makeStream = (spec: StreamSpec, info: StreamInfo) => openStream(connection, window, spec, info.created);
  return {
    async stream(spec) {
      return makeStream(spec, await ensureStream(connection, spec));
    },
    async find(name) {
      const info = await connection.persist(() => findStream(connection, name));
      return info && makeStream(specOf(info.config), info);
    },
    lease: (leasing) => openLease(connection, leasing),
    objects: (bucket) => openObjects(connection, bucket, { makeStream, swept }),
    publish(subject, payload) {
      if (connection.up) nats.publish(subject, payload);
    },
    get publishBytesMax() {
      return nats.info?.max_payload ?? Number.POSITIVE_INFINITY;
    },
    subscribe: (subject, signal) => openSubscription(connection, subject, signal),
    async hasSubscriber(subject) {
      try {
        // Nobody answers: who is there is silent until the time is over, and who is not is said by the server at once.
        await nats.request(subject, undefined, { timeout: limits.subscriberAskMs });
        return true;
      } catch (error) {
        return !(
          error instanceof errors.NoRespondersError || (error as Error).cause instanceof errors.NoRespondersError
        );
      }
    },
    get problem() {
      return room.problem;
    },
    async check() {
      try {
        await nats.rtt();
        await manager.getAccountInfo();
      } catch (error) {
        throw logErrors.make('MACH3009', { url, reason: messageOf(error) }, error);
      }
      const server = nats.info?.server_name ?? 'unknown';
      const ours = server.startsWith(syncAlwaysNamePrefix) ? true : undefined;
      const asked = options.monitorUrl === undefined ? undefined : await askMonitor(options.monitorUrl);
      return { server, version: nats.info?.version ?? 'unknown', syncAlways: options.syncAlways ?? ours ?? asked };
    },
    close() {
      closing ??= (async () => {
        room.close();
        window.close('the log was closed');
        publisher.close();
        await nats.close();
      })();
      return closing;
    },
  };
}
