/** `/livez`, `/readyz`, `/metrics` and `/status` of a running engine, on loopback unless told otherwise. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import type { Engine } from '../execution/engine.ts';
import { executionErrors } from '../execution/errors.ts';
import type { Ownership } from '../execution/ownership.ts';
import { limits } from '../limits.ts';
import { deadLettersSeen, engineGraph, engineKeys, versionsSeen } from './inspect.ts';
import { renderMetrics } from './metrics.ts';
import { engineStatus } from './status.ts';
import { tapEdge } from './tap.ts';
import { engineOpenKey } from './why.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, one line each. */
  readonly reasons: readonly string[];
}

function readinessOf(engine: Engine, ownership: Ownership | undefined): Readiness {
  const reasons: string[] = [];
  if (engine.state !== 'running') reasons.push(`the engine is ${engine.state}`);
  if (engine.logProblem) reasons.push(`log: ${engine.logProblem}`);
  if (engine.heapProblem) reasons.push(engine.heapProblem);
  for (const { id, running } of engine.sources) {
    const problem = running.problem?.();
    if (problem) reasons.push(`source ${id}: ${problem}`);
  }
  for (const { node, problem, attempts } of engine.waitingSources)
    reasons.push(`source ${node.id} does not open (tried ${attempts} times): ${problem}`);
  const units = [...engine.units.values()];
  const problems = units.flatMap(({ stages }) => stages.map(({ checkpointProblem }) => checkpointProblem));
  for (const problem of new Set(problems)) if (problem) reasons.push(`checkpoints: ${problem}`);
  const sinks = units.flatMap((unit) =>
    [...unit.sinks].map(([id, { problem }]) => problem && `sink ${id}: ${problem}`),
  );
  for (const problem of new Set(sinks)) if (problem) reasons.push(problem);
  for (const partition of ownership?.share ?? []) {
    if (engine.units.has(partition)) continue;
    const problem = ownership?.problemOf(partition);
    reasons.push(`partition ${partition} is not open yet${problem ? `: ${problem}` : ''}`);
  }
  return { ready: reasons.length === 0, reasons };
}

export interface ObserveServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Reply => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value)}\n`,
});

interface Observed {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Where several workers share the partitions. */
  readonly ownership?: Ownership;
  /** Where dead letters and earlier versions are; without it they are not told. */
  readonly log?: Log;
  /** Whether it is written down in the data folder who asks for a key that points at a person. `audit`: the id of what is written. */
  readonly isRecorded?: (asked: {
    readonly audit: string;
    readonly node: string;
    readonly key: string;
  }) => Promise<boolean>;
}

async function answerWhy({ engine, clock, isRecorded }: Observed, asked: URLSearchParams): Promise<Reply> {
  const [node, key] = [asked.get('node') ?? '', asked.get('key') ?? ''];
  const audit = asked.get('audit');
  const isWritten = audit !== null && (await isRecorded?.({ audit, node, key })) === true;
  const question = { node, key, isRecorded: isWritten, now: clock.now() };
  try {
    return json(200, await engineOpenKey(engine, question));
  } catch (error) {
    if (error instanceof MachError) return json(404, { error: `${error.code}  ${error.message}` });
    throw error;
  }
}

async function answer(observed: Observed, path: string, asked: URLSearchParams): Promise<Reply> {
  const { engine, clock, ownership, log } = observed;
  switch (path) {
    case '/why':
      return answerWhy(observed, asked);
    case '/livez':
      return engine.state === 'failed' ? json(503, { live: false }) : json(200, { live: true });
    case '/readyz': {
      const readiness = readinessOf(engine, ownership);
      return json(readiness.ready ? 200 : 503, readiness);
    }
    case '/status':
      return json(200, await engineStatus(engine, clock.now(), ownership));
    case '/metrics': {
      const body = await renderMetrics(await engineStatus(engine, clock.now(), ownership), engine);
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body };
    }
    case '/graph':
      return json(200, engineGraph(engine));
    case '/keys':
      return json(200, { keys: engineKeys(engine, asked.get('node') ?? '') });
    case '/dead-letters':
      if (log) return json(200, await deadLettersSeen(engine, log));
      break;
    case '/versions':
      if (log) return json(200, { versions: await versionsSeen(engine, log) });
      break;
    default:
  }
  return json(404, { error: `there is no ${path}: ${observePaths}` });
}

/** What can be asked, for who asks for something else. */
export const observePaths =
  '/livez, /readyz, /metrics, /status, /graph, /dead-letters, /versions, /tap?edge=NODE, /why?node=NODE&key=KEY, /keys?node=NODE';

/** For `mach checkpoint save`: from this machine alone, since it makes work. */
async function takeCheckpoint({ engine }: Observed, from = ''): Promise<Reply> {
  if (!/^(?:::ffff:)?127\.|^::1$/.test(from)) return json(403, { error: 'only from the machine that it runs on' });
  for (const unit of engine.units.values()) await unit.checkpoint();
  return json(200, { units: [...engine.units.keys()] });
}

/** What a request asks for; `//` and its like are no addresses, and must not end the engine. */
function addressOf(target = '/'): URL {
  const [path = '/', query = ''] = target.split(/\?(.*)/s);
  const address = new URL('http://localhost');
  address.pathname = path;
  address.search = query;
  return address;
}

/** JSON lines until the reader goes away; a reader that is too slow misses events, it does not hold the stage. */
function streamTap(engine: Engine, edge: string, response: ServerResponse): void {
  try {
    const subscription = tapEdge(engine, edge, (line) => {
      if (!response.writableNeedDrain) response.write(`${JSON.stringify(line)}\n`);
    });
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.flushHeaders();
    response.on('close', () => subscription.unsubscribe());
  } catch (error) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ error: messageOf(error) })}\n`);
  }
}

export async function startObserveServer(
  args: Observed & { readonly port?: number; readonly host?: string },
): Promise<ObserveServer> {
  const { engine, port = 0, host = '127.0.0.1' } = args;
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = addressOf(request.url);
    if (pathname === '/tap') {
      streamTap(engine, searchParams.get('edge') ?? '', response);
      return;
    }
    const wantsCheckpoint = request.method === 'POST' && pathname === '/checkpoint';
    void (wantsCheckpoint ? takeCheckpoint(args, request.socket.remoteAddress) : answer(args, pathname, searchParams))
      .catch((error) => json(500, { error: messageOf(error) }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
  });
  server.requestTimeout = limits.observeRequestTimeoutMs;
  server.maxConnections = limits.observeConnectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(executionErrors.make('MACH3209', { address: `${host}:${port}`, reason: error.message }, error));
    });
    server.listen(port, host, resolve);
  });
  server.on('error', () => undefined);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
