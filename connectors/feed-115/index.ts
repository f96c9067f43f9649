/** Source `feed-115`: the feed of 115 emergency centres over gRPC. Service: `proto/mach/feed115/v1/feed115.proto`. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { type Checker, defineSource, duration, limits, size } from '../../runtime/stream/index.ts';
import { decodeItems } from './decode.ts';
import { feedErrors } from './errors.ts';
import { feedLimits } from './limits.ts';
import { feedSchema } from './schema.ts';
import { openServer, type ServerOptions } from './server.ts';
import { isPem, type TlsOptions } from './tls.ts';

const tlsOptions = z.strictObject({
  cert: z.string().min(1).describe('certificate chain: the path of a PEM file, or its text'),
  key: z.string().min(1).meta({ mach: 'secret' }).describe('private key: the path of a PEM file, or its text'),
  ca: z.string().min(1).optional().describe('certificates that may sign client certificates: path or text'),
  require_client_certificate: z
    .boolean()
    .default(false)
    .describe('mutual TLS: refuse clients without a certificate of `ca`'),
});

const options = z.strictObject({
  listen: z
    .union([
      z.number().int().min(0).max(65_535),
      z.string().regex(/^(?:[^:\s]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'host:port'),
    ])
    .default(50_115)
    .describe('a port of this machine alone (127.0.0.1), or host:port, such as 0.0.0.0:50115'),
  tls: tlsOptions.optional().describe('encryption, and certificates of the clients'),
  tokens: z
    .array(z.string().min(16, 'a token has at least 16 characters').meta({ mach: 'secret' }))
    .max(1_000)
    .default([])
    .describe(
      'clients must send one of these as `authorization: Bearer TOKEN`; several, so that they can be exchanged one by one',
    ),
  reflection: z.boolean().default(true).describe('clients may ask the server for its service (gRPC reflection)'),
  ahead: duration().prefault('10m').describe('a time further in the future than this is refused'),
  message_size: size().prefault('4MiB').describe('size of one request'),
  streams: z.number().int().min(1).max(10_000).default(100).describe('streams at once on one connection'),
  in_flight: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .describe('unacknowledged requests of one stream before it is read no further'),
  keepalive: duration().prefault('20s').describe('how often a silent connection is asked whether it lives'),
});

type Options = z.output<typeof options>;

function resolveTls(tls: z.output<typeof tlsOptions>, check: Checker): TlsOptions {
  const resolve = (part: 'cert' | 'key' | 'ca', text: string) => {
    if (isPem(text)) return text;
    const path = check.resolveFile(text);
    if (!existsSync(path)) check.problem(['tls', part], `the file ${text} does not exist`);
    return path;
  };
  if (tls.require_client_certificate && !tls.ca) {
    check.problem(['tls', 'require_client_certificate'], 'client certificates cannot be checked without "ca"');
  }
  return {
    cert: resolve('cert', tls.cert),
    key: resolve('key', tls.key),
    ca: tls.ca === undefined ? undefined : resolve('ca', tls.ca),
    require_client_certificate: tls.require_client_certificate,
  };
}

function serverOptions(given: Options, check: Checker): ServerOptions {
  if (given.message_size > limits.frameBytesMax) {
    check.problem('message_size', `one message of the log holds at most ${limits.frameBytesMax / 1024 ** 2}MiB`);
  }
  return {
    listen: typeof given.listen === 'number' ? `127.0.0.1:${given.listen}` : given.listen,
    tls: given.tls && resolveTls(given.tls, check),
    tokens: given.tokens,
    reflection: given.reflection,
    messageBytesMax: given.message_size,
    streamsMax: given.streams,
    requestsInFlightMax: given.in_flight,
    keepaliveMs: given.keepalive,
    aheadMs: given.ahead,
  };
}

export const feed115 = defineSource({
  name: 'feed-115',
  status: 'stable',
  summary:
    'Takes calls, ambulance status and hospital diversion from 115 emergency centres over gRPC, with positions to resume from.',
  options,
  durability: 'disk',
  examples: [
    { title: 'on this machine alone', options: { listen: 50_115 } },
    {
      title: 'for the centres of a city, each with its token',
      options: {
        listen: '0.0.0.0:50115',
        tokens: ['${env:TOKEN_OF_CENTRE_ONE}', '${env:TOKEN_OF_CENTRE_TWO}'],
        ahead: '5m',
      },
    },
  ],
  bind({ options: given, check }) {
    const server = serverOptions(given, check);
    return {
      ports: { out: feedSchema },
      decode: (content, name) => decodeItems(content, name, feedLimits.untilMax),
      redecode: ({ raw, place, now }) => decodeItems(raw, String(place.centre ?? ''), now + given.ahead),
      open: (context) => openServer(server, context),
    };
  },
});

export { feedErrors };
