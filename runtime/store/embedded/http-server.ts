/** ClickHouse's HTTP interface over the embedded engine: what clients, drivers and boards need of it. */
import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { embeddedLimits } from '../limits.ts';
import { driverHandshake, isDriverHandshake } from './driver-handshake.ts';
import { type Engine, insertText } from './engine.ts';
import { EngineError, type EngineResult } from './engine-session.ts';
import { statusOf } from './http-status.ts';
import { instanceHeader } from './instance-header.ts';
import { parseRequest, readQueryText, type StoreRequest, saveBody } from './request.ts';
import { contentTypeOf, namedFormat, parseInsertHead } from './statement.ts';

const compress = promisify(gzip);

export function createStoreServer(engine: Engine, instance: string): Server {
  const server = createServer({
    maxHeaderSize: embeddedLimits.headerBytesMax,
    keepAliveTimeout: embeddedLimits.keepAliveMs,
  });
  // An insert waits in the pool with its body already read: Node's own limit on the whole request would cut it off.
  server.requestTimeout = 0;
  server.on('request', (request, response) => {
    response.setHeader(instanceHeader, instance);
    response.setHeader('X-ClickHouse-Server-Display-Name', 'mach-embedded');
    response.setHeader('X-ClickHouse-Timezone', engine.facts.timezone);
    answer(engine, request, response).catch((error) => sendError(request, response, error));
  });
  return server;
}

async function answer(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (path === '/ping' || path === '/replicas_status' || (path === '/' && request.url === '/')) {
    if (request.method === 'GET' || request.method === 'HEAD') {
      response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
      response.end('Ok.\n');
      return;
    }
  }
  if (path !== '/') {
    response.statusCode = 404;
    response.end(`There is no handle ${path}. Use / or /ping for health checks.\n`);
    return;
  }
  const parsed = parseRequest(request);
  response.setHeader('X-ClickHouse-Query-Id', parsed.queryId ?? randomUUID());
  if (request.method === 'POST') return answerPost(engine, request, response, parsed);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw EngineError.make(48, 'NOT_IMPLEMENTED', `Method ${request.method} is not served`);
  }
  // As on a server: a GET changes nothing.
  const settings = new Map(parsed.settings).set('readonly', '2');
  await answerQuery(engine, response, { ...parsed, settings }, parsed.query);
}

async function answerPost(
  engine: Engine,
  request: IncomingMessage,
  response: ServerResponse,
  parsed: StoreRequest,
): Promise<void> {
  const head = parsed.query === '' ? undefined : parseInsertHead(parsed.query);
  if (!head || head.length < parsed.query.trimEnd().length) {
    const body = await readQueryText(request);
    return answerQuery(engine, response, parsed, parsed.query === '' ? body : `${parsed.query}\n${body}`);
  }
  const path = engine.bodyPath();
  try {
    await saveBody(request, path);
    const result = await engine.insertFile(head, path, { ...parsed, sql: '', format: 'Null' });
    await sendResult(response, parsed, 'TabSeparated', result, true);
  } finally {
    await unlink(path).catch(() => {});
  }
}

async function answerQuery(engine: Engine, response: ServerResponse, parsed: StoreRequest, sql: string): Promise<void> {
  if (sql.trim() === '') throw EngineError.make(62, 'SYNTAX_ERROR', 'Empty query');
  if (isDriverHandshake(sql, parsed.protocolVersion)) {
    const facts = { displayName: 'mach-embedded', ...engine.facts };
    const bytes = driverHandshake(facts, parsed.protocolVersion ?? 0);
    return sendResult(
      response,
      parsed,
      'Native',
      { bytes, rowsRead: 1, bytesRead: bytes.length, elapsedSeconds: 0 },
      false,
    );
  }
  const format = parsed.defaultFormat ?? 'TabSeparated';
  const head = parseInsertHead(sql);
  if (head) {
    const result = await insertText(engine, head, sql, { ...parsed, sql, format });
    return sendResult(response, parsed, format, result, true);
  }
  const gone = new AbortController();
  // The client has gone: its query would only hold a session that others wait for.
  const onClose = () => gone.abort();
  response.once('close', onClose);
  const result = await engine.query({ ...parsed, sql, format }, gone.signal);
  response.removeListener('close', onClose);
  await sendResult(response, parsed, namedFormat(sql) ?? format, result, false);
}

async function sendResult(
  response: ServerResponse,
  parsed: StoreRequest,
  format: string,
  result: EngineResult,
  written: boolean,
): Promise<void> {
  const rows = String(result.rowsRead);
  const bytes = String(result.bytesRead);
  const summary = {
    read_rows: rows,
    read_bytes: bytes,
    written_rows: written ? rows : '0',
    written_bytes: written ? bytes : '0',
    total_rows_to_read: '0',
    result_rows: rows,
    result_bytes: String(result.bytes.length),
    elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
  };
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary));
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('Content-Type', contentTypeOf(format));
  let body = Buffer.from(result.bytes.buffer, result.bytes.byteOffset, result.bytes.byteLength);
  if (parsed.compressResponse && body.length > 0) {
    body = await compress(body, { level: constants.Z_BEST_SPEED });
    response.setHeader('Content-Encoding', 'gzip');
  }
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

function sendError(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const error = thrown instanceof EngineError ? thrown : EngineError.from(thrown);
  response.statusCode = statusOf(error.code);
  response.removeHeader('Content-Encoding');
  response.setHeader('X-ClickHouse-Exception-Code', String(error.code));
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  // What is still coming of the body is not read: the connection cannot be used again.
  if (!request.complete) {
    response.setHeader('Connection', 'close');
    request.unpipe();
    request.resume();
  }
  response.end(`${error.message}\n`);
}
