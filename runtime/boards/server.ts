/** The server of the boards: the page, the boards of a folder, and answers to what their panels ask. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../errors.ts';
import type { WhyReport } from '../execution/why/report.ts';
import { strangeHost } from '../loopback.ts';
import type { Store } from '../store/store.ts';
import type { Access } from './access.ts';
import { bundlePage, pageHtml } from './bundle.ts';
import type { EngineLink } from './engine-link.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';
import { safeHeaders, sendError } from './requests.ts';
import { makeRoutes } from './routes.ts';

export interface BoardServerOptions {
  readonly store: Pick<Store, 'read'>;
  /** Folder of the boards. */
  readonly folder: string;
  readonly access: Access;
  /** The engine whose results are shown. */
  readonly engine: EngineLink;
  readonly host?: string;
  readonly port?: number;
  /** For a source of actions that asks for one. */
  readonly actionToken?: string;
  /** What a dead letter holds, after it is written down who looks and why. */
  reveal?(asked: { letter: string; reason: string; by: string | null }): Promise<{ readonly text: string }>;
  /** Why a result is there, as `mach why` names results; what points at a person is hidden. */
  explain?(result: string, signal: AbortSignal): Promise<WhyReport>;
}

export interface BoardServer {
  /** `http://127.0.0.1:8099` */
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects with MACH3306 when the address cannot be had. */
export async function startBoardServer(options: BoardServerOptions): Promise<BoardServer> {
  const { host = '127.0.0.1', port = 0 } = options;
  const assets = await bundlePage();
  const answerApi = makeRoutes(options);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseStranger(request, host);
    const { path, query } = addressOf(request.url);
    const asset = assets.get(path);
    if (asset) {
      response.writeHead(200, { ...safeHeaders, 'content-type': asset.type });
      response.end(asset.body);
      return;
    }
    const [first, ...rest] = path.split('/').filter(Boolean);
    if (first === 'api') return answerApi({ request, response, path: rest.map(decoded), query });
    // Every other address is a place in the page.
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

/** `//` and its like are no addresses, and must not end the server. */
function addressOf(target = '/'): { path: string; query: URLSearchParams } {
  const [path = '/', query = ''] = target.split(/\?(.*)/s);
  return { path, query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function refuseStranger(request: IncomingMessage, host: string): void {
  const asked = strangeHost(request, host);
  if (asked !== undefined)
    throw boardErrors.make('MACH3309', { reason: `"${asked}" is not an address of this machine` });
}
