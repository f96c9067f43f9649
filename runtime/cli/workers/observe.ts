/** One address for all workers of a `mach run`: asks each and answers as one engine would. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../errors.ts';
import { executionErrors } from '../../execution/errors.ts';
import { limits } from '../../limits.ts';
import { observePaths } from '../../observe/http-server.ts';
import type { EngineGraph } from '../../observe/inspect.ts';
import { mergeMetrics } from '../../observe/merge-metrics.ts';
import { mergeStatus } from '../../observe/merge-status.ts';
import type { EngineStatus } from '../../observe/status.ts';
import type { WorkerProcess } from './supervisor.ts';

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

interface WorkerReply {
  readonly worker: string;
  readonly status: number;
  readonly text: string;
}

/** What the workers that run answer; one that does not is left out. */
async function askAll(workers: readonly WorkerProcess[], path: string, method = 'GET'): Promise<WorkerReply[]> {
  const asked = workers.map(async ({ name, observeUrl }): Promise<WorkerReply | undefined> => {
    if (observeUrl === undefined) return undefined;
    try {
      const signal = AbortSignal.timeout(limits.workerAnswerMs);
      const response = await fetch(`${observeUrl}${path}`, { method, signal });
      return { worker: name, status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  });
  return (await Promise.all(asked)).filter((one) => one !== undefined);
}

async function answerReady(workers: readonly WorkerProcess[]): Promise<Reply> {
  const replies = await askAll(workers, '/readyz');
  const reasons = workers
    .filter(({ name }) => !replies.some(({ worker }) => worker === name))
    .map(({ name }) => `worker ${name} is not running`);
  for (const { worker, text } of replies) {
    const { reasons: own } = JSON.parse(text) as { reasons: readonly string[] };
    reasons.push(...own.map((reason) => `worker ${worker}: ${reason}`));
  }
  return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

async function answerStatus(workers: readonly WorkerProcess[]): Promise<Reply> {
  const replies = await askAll(workers, '/status');
  const all = replies.map(({ worker, text }) => ({ worker, status: JSON.parse(text) as EngineStatus }));
  if (all.length === 0) return json(503, { error: 'no worker is running' });
  const processes = workers.map(({ name, processId, observeUrl, restarts }) => {
    return { worker: name, processId: processId ?? null, observe: observeUrl ?? null, restarts };
  });
  return json(200, { ...mergeStatus(all.map(({ status }) => status)), processes });
}

/** The worker that has the key answers. */
async function answerWhy(workers: readonly WorkerProcess[], query: string): Promise<Reply> {
  const replies = await askAll(workers, `/why?${query}`);
  const found = replies.filter(({ status }) => status === 200);
  const known = found.find(({ text }) => (JSON.parse(text) as { known: boolean }).known);
  const reply = known ?? found[0] ?? replies[0];
  if (!reply) return json(503, { error: 'no worker is running' });
  return { status: reply.status, type: 'application/json', body: reply.text };
}

/** Of what is the same everywhere one worker can tell. */
async function answerFirst(workers: readonly WorkerProcess[], path: string): Promise<Reply> {
  const [reply] = await askAll(workers, path);
  if (!reply) return json(503, { error: 'no worker is running' });
  return { status: reply.status, type: 'application/json', body: reply.text };
}

/** The graph is the same everywhere; each worker knows the addresses of its own sources. */
async function answerGraph(workers: readonly WorkerProcess[]): Promise<Reply> {
  const graphs = (await askAll(workers, '/graph')).map(({ text }) => JSON.parse(text) as EngineGraph);
  const [first] = graphs;
  if (!first) return json(503, { error: 'no worker is running' });
  return json(200, { ...first, addresses: Object.assign({}, ...graphs.map(({ addresses }) => addresses)) });
}

async function answerKeys(workers: readonly WorkerProcess[], query: string): Promise<Reply> {
  const replies = await askAll(workers, `/keys?${query}`);
  const keys = replies.flatMap(({ text }) => (JSON.parse(text) as { keys: readonly string[] }).keys);
  return json(200, { keys: [...new Set(keys)].sort(new Intl.Collator('en', { numeric: true }).compare) });
}

async function answer(workers: readonly WorkerProcess[], path: string, query: string): Promise<Reply> {
  switch (path) {
    case '/why':
      return answerWhy(workers, query);
    case '/graph':
      return answerGraph(workers);
    case '/dead-letters':
    case '/versions':
      return answerFirst(workers, path);
    case '/keys':
      return answerKeys(workers, query);
    case '/livez':
      return json(200, { live: true });
    case '/readyz':
      return answerReady(workers);
    case '/status':
      return answerStatus(workers);
    case '/metrics': {
      const body = mergeMetrics(await askAll(workers, '/metrics'));
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body };
    }
    default:
      return json(404, { error: `there is no ${path}: ${observePaths}` });
  }
}

/** For `mach checkpoint save`: each worker takes one of what it holds. */
async function takeCheckpoints(workers: readonly WorkerProcess[]): Promise<Reply> {
  const replies = await askAll(workers, '/checkpoint', 'POST');
  const failed = replies.find(({ status }) => status !== 200);
  if (failed) return { status: failed.status, type: 'application/json', body: failed.text };
  return json(replies.length === workers.length ? 200 : 503, { workers: replies.map(({ worker }) => worker) });
}

/** Lines of all workers as they come, until the reader goes away. */
async function streamTaps(workers: readonly WorkerProcess[], query: string, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const taps = await Promise.all(
    workers.map(({ observeUrl }) =>
      observeUrl === undefined
        ? undefined
        : fetch(`${observeUrl}/tap${query}`, { signal: gone.signal }).catch(() => undefined),
    ),
  );
  const open = taps.filter((tap) => tap?.ok && tap.body);
  if (open.length === 0) {
    const refused = taps.find((tap) => tap !== undefined);
    response.writeHead(refused?.status ?? 503, { 'content-type': 'application/json' });
    response.end(refused ? await refused.text() : '{"error":"no worker is running"}\n');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const copy = async (tap: Response): Promise<void> => {
    let rest = '';
    for await (const chunk of tap.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!response.writableNeedDrain) response.write(`${line}\n`);
    }
  };
  await Promise.allSettled(open.map((tap) => copy(tap as Response)));
  response.end();
}

/** Rejects with MACH3209 when the address cannot be had. */
export async function startWorkersServer(args: {
  workers: () => readonly WorkerProcess[];
  host: string;
  port: number;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { host, port } = args;
  const server = createServer((request, response) => {
    const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
    if (path === '/tap') {
      void streamTaps(args.workers(), `?${query}`, response).catch(() => response.destroy());
      return;
    }
    const wantsCheckpoint = request.method === 'POST' && path === '/checkpoint';
    void (wantsCheckpoint ? takeCheckpoints(args.workers()) : answer(args.workers(), path, query))
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
