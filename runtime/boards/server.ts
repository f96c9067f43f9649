/** The server of the boards: the page, the boards of a folder, and answers to what their panels ask. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Access } from './access.ts';
import { askPanel, askVariables, type Question } from './ask-panel.ts';
import { withoutQueries } from './board.ts';
import { bundlePage, pageHtml } from './bundle.ts';
import { readBounds } from './choices.ts';
import type { EngineLink } from './engine-link.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';
import { boardFolder } from './load-boards.ts';
import { questionBody, readBody, safeHeaders, sendError, sendJson } from './requests.ts';
import { makeTurns } from './turns.ts';

export interface BoardServerOptions {
  readonly store: Pick<Store, 'read'>;
  /** Folder of the boards. */
  readonly folder: string;
  readonly access: Access;
  /** The engine whose results are shown. */
  readonly engine: EngineLink;
  readonly host?: string;
  readonly port?: number;
}

export interface BoardServer {
  /** `http://127.0.0.1:3300` */
  readonly url: string;
  close(): Promise<void>;
}

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export async function startBoardServer(options: BoardServerOptions): Promise<BoardServer> {
  const { host = '127.0.0.1', port = 0, access } = options;
  const assets = await bundlePage();
  const boards = boardFolder(options.folder);
  const turns = makeTurns({ atOnceMax: boardLimits.queriesAtOnceMax, waitingMax: boardLimits.queriesWaitingMax });

  const boardOf = async (uid: string) => {
    const found = (await boards.read()).boards.find(({ board }) => board.uid === uid);
    if (!found) throw boardErrors.make('MACH3302', { what: 'board', name: uid });
    return found.board;
  };

  async function answerBoard({ request, response, path }: Call): Promise<void> {
    const [uid = '', part, id = ''] = path;
    const board = await boardOf(uid);
    if (part === undefined) return sendJson(response, 200, { board: withoutQueries(board) });
    const question: Question = { board, ...(await readBody(request, questionBody)) };
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const read = (sql: string) => turns.take(() => options.store.read(sql, readBounds, gone.signal));
    if (part === 'variables') return sendJson(response, 200, { variables: await askVariables(question, read) });
    if (part === 'panels') return sendJson(response, 200, await askPanel(question, Number(id), read));
    throw boardErrors.make('MACH3302', { what: 'address', name: path.join('/') });
  }

  async function answerMap(response: ServerResponse, name: string): Promise<void> {
    const text = /^[\w-]+\.geojson$/.test(name) ? await boards.readMap(name) : undefined;
    // A map without lines below it is a map: no error.
    sendJson(response, 200, text === undefined ? { type: 'FeatureCollection', features: [] } : JSON.parse(text));
  }

  async function answerApi(call: Call): Promise<void> {
    const { request, response, path } = call;
    const [what] = path;
    const person = access.personOf(request);
    if (!person) return sendJson(response, 401, { code: null, message: 'a token is needed' });
    if (what === 'session') {
      const { name, roles } = person;
      return sendJson(response, 200, { name, roles: [...roles], isGuarded: access.isGuarded });
    }
    if (what === 'clock') return sendJson(response, 200, await options.engine.clock());
    if (what === 'boards' && path.length === 1) {
      const { boards: found, problems } = await boards.read();
      const list = found.map(({ board: { uid, title, description, tags } }) => ({ uid, title, description, tags }));
      return sendJson(response, 200, { boards: list, problems });
    }
    if (what === 'maps') return answerMap(response, path[1] ?? '');
    if (what === 'boards') return answerBoard({ ...call, path: path.slice(1) });
    throw boardErrors.make('MACH3302', { what: 'address', name: path.join('/') });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseStranger(request, host);
    const url = new URL(request.url?.replace(/^\/+/, '/') ?? '/', 'http://boards');
    const asset = assets.get(url.pathname);
    if (asset) {
      response.writeHead(200, { ...safeHeaders, 'content-type': asset.type });
      response.end(asset.body);
      return;
    }
    const path = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    if (path[0] === 'api') return answerApi({ request, response, path: path.slice(1), query: url.searchParams });
    response.writeHead(200, { ...safeHeaders, 'content-type': 'text/html; charset=utf-8' });
    response.end(pageHtml);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => sendError(response, error));
  });
  server.requestTimeout = boardLimits.requestTimeoutMs;
  server.maxConnections = boardLimits.connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(boardErrors.make('MACH3306', { address: `${host}:${port}`, reason: messageOf(error) }, error));
    });
    server.listen(port, host, resolve);
  });
  server.on('error', () => undefined);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A page of another site whose name leads to loopback (DNS rebinding) has that name as the host of its requests. */
function refuseStranger({ headers }: IncomingMessage, host: string): void {
  if (!isLoopback(host)) return;
  const asked = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (!isLoopback(asked))
    throw boardErrors.make('MACH3309', { reason: `"${asked}" is not an address of this machine` });
}
