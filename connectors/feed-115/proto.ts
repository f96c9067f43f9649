/** Loads the service of `feed115.proto`. gRPC is heavy, so it is imported only when a server or a client is opened. */
import { fileURLToPath } from 'node:url';
import type * as grpc from '@grpc/grpc-js';
import type { PackageDefinition, ServiceDefinition } from '@grpc/proto-loader';

export type Grpc = typeof grpc;

export interface FeedProto {
  readonly grpc: Grpc;
  readonly definition: PackageDefinition;
  readonly service: ServiceDefinition;
}

export const serviceName = 'mach.feed115.v1.FeedService';
const protoFolder = fileURLToPath(new URL('./proto/', import.meta.url));
/** Seen from `protoFolder`, so that reflection names the file as other programs import it. */
const protoFile = 'mach/feed115/v1/feed115.proto';
/** What an item is, for JSON lines. */
export const itemMessage = 'mach.feed115.v1.Item';

let loaded: Promise<FeedProto> | undefined;

async function load(): Promise<FeedProto> {
  const [grpcModule, { loadSync }] = await Promise.all([import('@grpc/grpc-js'), import('@grpc/proto-loader')]);
  // Numbers, no defaults, no virtual oneof fields: the object of an item is then as small as what was sent.
  const definition = loadSync(protoFile, { includeDirs: [protoFolder], keepCase: true, longs: Number });
  // What it would print comes back as an error as well, which we tell in our own way.
  if (!process.env.GRPC_VERBOSITY) grpcModule.setLogVerbosity(grpcModule.logVerbosity.NONE);
  return {
    grpc: grpcModule,
    definition,
    service: definition[serviceName] as ServiceDefinition,
  };
}

export function loadProto(): Promise<FeedProto> {
  loaded ??= load();
  return loaded;
}
