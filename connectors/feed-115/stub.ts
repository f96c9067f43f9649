/** The plain gRPC client of the service: connection, token, certificates. */
import type {
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  ClientUnaryCall,
  Metadata,
  requestCallback,
} from '@grpc/grpc-js';
import { loadProto } from './proto.ts';
import type {
  HospitalLoad,
  PublishRequest,
  PublishResponse,
  SubmitRequest,
  SubmitResponse,
  WatchHospitalsRequest,
  WatchHospitalsResponse,
} from './wire.ts';

export interface ConnectOptions {
  readonly token?: string;
  /** PEM texts. `serverName`: the name in the server's certificate, where it differs from the address. */
  readonly tls?: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly serverName?: string;
  };
}

interface ServiceClient extends Client {
  Publish(metadata: Metadata): ClientDuplexStream<PublishRequest, PublishResponse>;
  Submit(request: SubmitRequest, metadata: Metadata, callback: requestCallback<SubmitResponse>): ClientUnaryCall;
  WatchHospitals(request: WatchHospitalsRequest, metadata: Metadata): ClientReadableStream<WatchHospitalsResponse>;
}

export interface FeedStub {
  publish(): ClientDuplexStream<PublishRequest, PublishResponse>;
  submit(request: SubmitRequest): Promise<SubmitResponse>;
  watch(request: WatchHospitalsRequest): ClientReadableStream<WatchHospitalsResponse>;
  close(): void;
}

const reconnectDelayMaxMs = 2_000;

export async function openStub(address: string, { token, tls }: ConnectOptions = {}): Promise<FeedStub> {
  const { grpc, service } = await loadProto();
  const credentials = tls ? grpc.credentials.createSsl(tls.ca, tls.key, tls.cert) : grpc.credentials.createInsecure();
  const Service = grpc.makeClientConstructor(
    service as Parameters<typeof grpc.makeClientConstructor>[0],
    'FeedService',
  );
  const client = new Service(address, credentials, {
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': reconnectDelayMaxMs,
    // Several clients of one process are several centres: each has its own connection.
    'grpc.use_local_subchannel_pool': 1,
    ...(tls?.serverName ? { 'grpc.ssl_target_name_override': tls.serverName } : {}),
  }) as unknown as ServiceClient;
  const metadata = () => {
    const value = new grpc.Metadata();
    if (token) value.set('authorization', `Bearer ${token}`);
    return value;
  };
  return {
    publish: () => client.Publish(metadata()),
    submit: (request) =>
      new Promise((resolve, reject) => {
        client.Submit(request, metadata(), (error, response) => (error ? reject(error) : resolve(response ?? {})));
      }),
    watch: (request) => client.WatchHospitals(request, metadata()),
    close: () => client.close(),
  };
}

/** The load of hospitals, until the signal is aborted; rejects when the stream breaks. */
export async function* watchHospitals(
  address: string,
  { hospitals = [], signal, ...connect }: ConnectOptions & { hospitals?: string[]; signal: AbortSignal },
): AsyncGenerator<HospitalLoad, void, undefined> {
  const stub = await openStub(address, connect);
  const stream = stub.watch({ hospitals });
  const onAbort = () => stream.cancel();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const { load } of stream as AsyncIterable<WatchHospitalsResponse>) if (load) yield load;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream.cancel();
    stub.close();
  }
}
