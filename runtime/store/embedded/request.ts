/** Takes an HTTP request of ClickHouse's interface apart: query, settings, parameters; bodies bounded. */
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createInflate } from 'node:zlib';
import { embeddedLimits } from '../limits.ts';
import { EngineError } from './engine-session.ts';

export interface StoreRequest {
  readonly query: string;
  readonly queryId: string | undefined;
  readonly database: string;
  readonly defaultFormat: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
  readonly parameters: ReadonlyMap<string, string>;
  readonly compressResponse: boolean;
  /** Set by clickhouse-go. */
  readonly protocolVersion: number | undefined;
}

/** Parameters of the URL that steer the HTTP interface and mean nothing to the engine. */
const httpParameters = new Set([
  'buffer_size',
  'wait_end_of_query',
  'user',
  'password',
  'quota_key',
  'stacktrace',
  'role',
  'close_session',
  'session_timeout',
  'session_check',
  'http_response_buffer_size',
  'http_zlib_compression_level',
  'http_native_compression_disable_checksumming_on_decompress',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_write_exception_in_output_format',
  'cancel_http_readonly_queries_on_client_close',
  'add_http_cors_header',
  'keeper_map_strict_mode',
]);

export function parseRequest(request: IncomingMessage): StoreRequest {
  const url = new URL(request.url ?? '/', 'http://store');
  const settings = new Map<string, string>([['max_execution_time', String(embeddedLimits.queryTimeSecondsMax)]]);
  const parameters = new Map<string, string>();
  const special = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (specialNames.has(name)) special.set(name, value);
    else if (!httpParameters.has(name)) settings.set(name, value);
  }
  refuseUnserved(special);
  const header = (name: string) => request.headers[name]?.toString();
  const protocolVersion = special.get('client_protocol_version');
  return {
    query: special.get('query') ?? '',
    queryId: special.get('query_id') ?? header('x-clickhouse-query-id'),
    database: special.get('database') || header('x-clickhouse-database') || 'default',
    defaultFormat: special.get('default_format') ?? header('x-clickhouse-format'),
    settings,
    parameters,
    compressResponse:
      special.get('enable_http_compression') === '1' && /\bgzip\b/.test(header('accept-encoding') ?? ''),
    protocolVersion: protocolVersion === undefined ? undefined : Number(protocolVersion),
  };
}

const specialNames = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'compress',
  'decompress',
  'enable_http_compression',
  'client_protocol_version',
]);

function refuseUnserved(special: ReadonlyMap<string, string>): void {
  if (special.has('session_id')) {
    throw EngineError.make(48, 'NOT_IMPLEMENTED', 'The embedded store keeps no HTTP sessions: leave session_id out');
  }
  if (special.get('compress') === '1' || special.get('decompress') === '1') {
    const text = 'The embedded store serves HTTP compression (gzip) only: leave compress and decompress out';
    throw EngineError.make(48, 'NOT_IMPLEMENTED', text);
  }
}

function decoder(request: IncomingMessage): Transform[] {
  const encoding = request.headers['content-encoding']?.toString().toLowerCase();
  if (encoding === undefined || encoding === 'identity') return [];
  if (encoding === 'gzip' || encoding === 'x-gzip') return [createGunzip()];
  if (encoding === 'deflate') return [createInflate()];
  throw EngineError.make(
    48,
    'NOT_IMPLEMENTED',
    `Content-Encoding ${encoding} is not served by the embedded store, gzip is`,
  );
}

/**
 * Passes on `bytesMax` at most. What comes beyond is read and dropped, and the end is an error: a sender that is cut off in the middle of
 * its body would see a broken connection and never the reason.
 */
function bounded(bytesMax: number, limitName: string): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > bytesMax) done();
      else done(null, chunk);
    },
    flush(done) {
      if (total <= bytesMax) return done();
      done(EngineError.make(307, 'TOO_MANY_BYTES', `Request body is larger than ${bytesMax} bytes (${limitName})`));
    },
  });
}

/** The body as text: a query. */
export async function readQueryText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  const collect = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await pipeline([request, ...decoder(request), bounded(embeddedLimits.insertBytesMax, 'insertBytesMax'), collect]);
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes the body to a file. Rejects, having written only a part, when the sender breaks off. */
export async function saveBody(request: IncomingMessage, path: string): Promise<void> {
  await pipeline([
    request,
    ...decoder(request),
    bounded(embeddedLimits.insertBytesMax, 'insertBytesMax'),
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  ]);
}
