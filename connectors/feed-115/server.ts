/** The gRPC server of `feed-115`: our service, health and reflection on one port. */
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { messageOf, type RunningSource, type SourceContext } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { openHospitalBoard } from './hospitals.ts';
import { feedLimits } from './limits.ts';
import { type FeedProto, loadProto, serviceName } from './proto.ts';
import { type PublishCall, PublishStream } from './publish.ts';
import { makeSubmit } from './submit.ts';
import { makeServerCredentials, makeTokenInterceptor, type TlsOptions } from './tls.ts';

export interface ServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string;
  readonly tls?: TlsOptions | undefined;
  readonly tokens: readonly string[];
  readonly reflection: boolean;
  readonly messageBytesMax: number;
  readonly streamsMax: number;
  readonly requestsInFlightMax: number;
  readonly keepaliveMs: number;
  readonly aheadMs: number;
}

function makeServer({ grpc }: FeedProto, options: ServerOptions): Server {
  return new grpc.Server({
    'grpc.max_receive_message_length': options.messageBytesMax,
    'grpc.max_concurrent_streams': options.streamsMax,
    'grpc.keepalive_time_ms': options.keepaliveMs,
    'grpc.keepalive_timeout_ms': options.keepaliveMs,
    interceptors: options.tokens.length > 0 ? [makeTokenInterceptor(grpc, options.tokens)] : [],
  });
}

function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error) reject(feedErrors.make('MACH2101', { address: listen, reason: messageOf(error) }, error));
      else resolve(port);
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), feedLimits.shutdownTimeoutMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Starts listening. Rejects with MACH2101 (address) or MACH2117 (certificates). */
export async function openServer(options: ServerOptions, context: SourceContext): Promise<RunningSource> {
  const proto = await loadProto();
  const server = makeServer(proto, options);
  const credentials = await makeServerCredentials(proto.grpc, options.tls);
  const { HealthImplementation } = await import('grpc-health-check');
  const health = new HealthImplementation({ '': 'SERVING', [serviceName]: 'SERVING' });
  const board = openHospitalBoard(context);
  const all = new Set<PublishStream>();
  const publishOptions = { ...options, context, streams: new Map(), positions: new Map(), all };
  server.addService(proto.service as Parameters<Server['addService']>[0], {
    Publish: (call: PublishCall) => void new PublishStream(call, publishOptions),
    Submit: makeSubmit({ context, aheadMs: options.aheadMs }),
    WatchHospitals: board.watch,
  });
  health.addToServer(server);
  if (options.reflection) {
    const { ReflectionService } = await import('@grpc/reflection');
    new ReflectionService(proto.definition).addToServer(server);
  }
  let port: number;
  try {
    port = await bind(server, options.listen, credentials);
  } catch (error) {
    board.close();
    throw error;
  }
  const host = options.listen.slice(0, options.listen.lastIndexOf(':'));
  const address = `${host}:${port}`;
  if (!options.tls && !/^(?:127\.|localhost$|\[?::1\]?$)/.test(host)) {
    context.logger.warn({ address }, 'feed-115 listens without TLS on an address that others can reach');
  }
  return {
    address,
    async close() {
      health.setStatus('', 'NOT_SERVING');
      health.setStatus(serviceName, 'NOT_SERVING');
      await Promise.all([...all].map((stream) => stream.stop(feedErrors.make('MACH2107'))));
      board.close();
      await shutDown(server);
    },
  };
}
