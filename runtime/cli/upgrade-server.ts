/**
 * Where a running engine takes another version of its topology: a socket on loopback alone, whatever `--observe` says, and for those
 * alone who can read the run file, which holds the token.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MachError, messageOf } from '../errors.ts';
import type { LiveEngine } from '../execution/upgrade/live-engine.ts';
import { manifestOf } from '../execution/upgrade/manifest.ts';
import type { Catalogue, Logger } from '../stream/definition.ts';
import { diagnosticsToJson, loadTopology } from '../topology/index.ts';
import { cliLimits } from './limits.ts';
import { type Control, changeRunFile } from './run-file.ts';

export interface UpgradeRequest {
  /** Absolute path of the topology. */
  readonly file: string;
  /** Values of the variables that it names, as they are where the command was given. */
  readonly env: Readonly<Record<string, string>>;
  readonly acceptLoss: readonly string[];
}

export interface UpgradeServer {
  readonly control: Control;
  close(): Promise<void>;
}

/** What can be changed: an engine, or the workers of one run. */
export interface Changeable extends Pick<LiveEngine, 'topology' | 'upgrade'> {
  readonly plan: { readonly partitions: number };
}

interface Serving {
  readonly engine: Changeable;
  readonly catalogue: Catalogue;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** The data folder, where commands find the file of the topology that runs. */
  readonly directory: string;
}

export async function startUpgradeServer(serving: Serving): Promise<UpgradeServer> {
  const token = randomBytes(32).toString('base64url');
  const server = createServer((request, response) => {
    void answer(request, token, serving)
      .catch((error: unknown) => ({ status: 500, body: errorBody(error) }))
      .then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        response.end(`${JSON.stringify(body)}\n`);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.on('error', () => undefined);
  const { port } = server.address() as AddressInfo;
  return {
    control: { url: `http://127.0.0.1:${port}`, token },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

async function answer(request: IncomingMessage, token: string, serving: Serving): Promise<Reply> {
  if (!isAllowed(request.headers.authorization, token)) return { status: 403, body: { error: 'a token is needed' } };
  const { engine } = serving;
  if (request.method === 'GET' && request.url === '/manifest') {
    return { status: 200, body: manifestOf(engine.topology, { partitions: engine.plan.partitions }) };
  }
  if (request.method !== 'POST' || request.url !== '/upgrade') return { status: 404, body: { error: 'not here' } };
  return upgrade(JSON.parse(await bodyOf(request)) as UpgradeRequest, serving);
}

async function upgrade({ file, env, acceptLoss }: UpgradeRequest, serving: Serving): Promise<Reply> {
  const { engine, catalogue, logger, directory } = serving;
  const { topology, diagnostics } = loadTopology(file, { catalogue, env: { ...serving.env, ...env } });
  if (!topology) return { status: 422, body: diagnosticsToJson(diagnostics) };
  try {
    const done = await engine.upgrade(topology, { acceptLoss });
    if (done.applied) {
      const { keptOpen, pauseMs } = done;
      logger.info({ topology: topology.name, file, keptOpen: keptOpen.join(', '), pauseMs }, 'topology changed');
      // Without it a command takes the file of before, or is told one: no reason to say that nothing has changed.
      await changeRunFile(directory, { topology: topology.name, file }).catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'the run file still names the file of before'),
      );
    }
    return { status: 200, body: topology.redactor.redactValue(done) };
  } catch (error) {
    logger.warn({ error: topology.redactor.redact(messageOf(error)) }, 'topology not changed');
    return { status: 409, body: topology.redactor.redactValue(errorBody(error)) };
  }
}

function errorBody(error: unknown): { code: string | null; message: string } {
  return { code: error instanceof MachError ? error.code : null, message: messageOf(error) };
}

function isAllowed(header: string | undefined, token: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > cliLimits.upgradeRequestBytesMax) throw new Error('the request is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
