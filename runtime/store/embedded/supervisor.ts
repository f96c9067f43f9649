/**
 * The embedded store: a child process with real ClickHouse (chDB) behind its own HTTP interface on loopback.
 *
 * One process at a time holds a data folder, and the engine's own lock says which. So a start either makes the child, or joins the
 * one that is alive; whoever joined takes over, on the same port, when that one is gone.
 */
import type { ChildProcess } from 'node:child_process';
import { get } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { wallTime } from '../../clock.ts';
import type { Logger } from '../../stream/definition.ts';
import { storeErrors } from '../errors.ts';
import { embeddedLimits } from '../limits.ts';
import { type ChildOptions, startChild, tailOf } from './child.ts';
import { instanceHeader } from './instance-header.ts';
import { logNotice, type StoreNotice } from './notice.ts';
import { readState, type StoreState } from './state-file.ts';

export interface EmbeddedStoreOptions {
  readonly directory: string;
  /** 0: a free port, or the one that the folder's running store has. */
  readonly port?: number;
  /** The store outlives this process; `stop` still ends it. */
  readonly detached?: boolean;
  /** Room that is left free on the disk; default: see `diskRoom`. */
  readonly reserveBytes?: number | undefined;
  readonly logger?: Logger;
}

export interface EmbeddedStore {
  readonly url: string;
  /** Process that serves now; another one after a restart. */
  readonly pid: number;
  /** Whether this process started the one that serves, or joined it. */
  readonly joined: boolean;
  /** Ends the store if this process started it (drained, sessions closed), and stops looking after it. */
  stop(): Promise<void>;
}

/** The instance that answers on a port, or undefined. */
function ping(port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const request = get({
      host: '127.0.0.1',
      port,
      path: '/ping',
      agent: false,
      timeout: embeddedLimits.pingTimeoutMs,
    });
    request.on('response', (response) => {
      response.resume();
      settle(response.headers[instanceHeader]?.toString());
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => settle(undefined));
    request.on('close', () => settle(undefined));
  });
}

async function isAlive(state: StoreState): Promise<boolean> {
  return (await ping(state.port)) === state.instance;
}

interface Serving {
  readonly state: StoreState;
  readonly child?: ChildProcess;
}

/** Joins the store that serves the folder, or becomes it. */
async function joinOrStart(options: ChildOptions): Promise<Serving> {
  const { directory } = options;
  const deadline = wallTime() + embeddedLimits.startTimeoutMs;
  let reason = '';
  for (;;) {
    const state = readState(directory);
    if (state && (await isAlive(state))) return { state };
    const outcome = await startChild(options);
    if (outcome.kind === 'serving') return { state: outcome.state, child: outcome.child };
    reason = outcome.reason;
    if (!outcome.heldByAnother) throw storeErrors.make('MACH3105', { directory, reason });
    // Someone else was faster, or has not let go yet: look again until one of us serves.
    if (wallTime() > deadline) {
      const holder = state ? `process ${state.pid}, port ${state.port}` : reason;
      throw storeErrors.make('MACH3106', { directory, reason: holder });
    }
    await delay(embeddedLimits.restartDelayMs);
  }
}

/** Starts the embedded store of a folder, or joins it. Rejects with MACH3105 or MACH3106. */
export async function startEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const directory = resolve(options.directory);
  const detached = options.detached ?? false;
  const stopped = new AbortController();
  const childOptions = {
    directory,
    detached,
    reserveBytes: options.reserveBytes,
    onNotice: (notice: StoreNotice) => logNotice(options.logger, notice),
  };
  let serving = await joinOrStart({ ...childOptions, port: options.port ?? 0 });
  const port = serving.state.port;
  const watching = watch();

  async function gone(current: Serving): Promise<string> {
    const child = current.child;
    if (child) return ended(child, stopped.signal);
    let failures = 0;
    while (!stopped.signal.aborted && failures < embeddedLimits.watchFailuresMax) {
      await delay(embeddedLimits.watchEveryMs, undefined, { ref: false, signal: stopped.signal }).catch(() => {});
      failures = (await isAlive(current.state)) ? 0 : failures + 1;
    }
    return 'no answer';
  }

  async function watch(): Promise<void> {
    let delayMs: number = embeddedLimits.restartDelayMs;
    while (!stopped.signal.aborted) {
      const reason = await gone(serving);
      if (stopped.signal.aborted) return;
      options.logger?.error({ directory, pid: serving.state.pid, reason }, 'embedded store ended; starting it again');
      for (let restarted = false; !restarted && !stopped.signal.aborted; ) {
        await delay(delayMs, undefined, { ref: false, signal: stopped.signal }).catch(() => {});
        if (stopped.signal.aborted) return;
        try {
          serving = await joinOrStart({ ...childOptions, port });
          restarted = true;
          delayMs = embeddedLimits.restartDelayMs;
          options.logger?.info({ directory, pid: serving.state.pid, port }, 'embedded store serves again');
        } catch (error) {
          delayMs = Math.min(delayMs * 2, embeddedLimits.restartDelayMaxMs);
          options.logger?.error({ directory, error }, 'embedded store did not start; trying again');
        }
      }
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return serving.state.pid;
    },
    get joined() {
      return serving.child === undefined;
    },
    async stop() {
      stopped.abort();
      await watching;
      if (serving.child) await end(serving.child);
    },
  };
}

function ended(child: ChildProcess, signal: AbortSignal): Promise<string> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve(String(child.signalCode ?? child.exitCode));
  }
  return new Promise((settle) => {
    const stderr = tailOf(embeddedLimits.stderrBytesMax);
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
    const onStop = () => settle('stopped');
    child.once('exit', (code, signalName) => {
      signal.removeEventListener('abort', onStop);
      settle(`${signalName ?? code} ${stderr.text()}`.trim());
    });
    signal.addEventListener('abort', onStop, { once: true });
  });
}

/** Asks the child to end, and waits; it ends itself by force when its drain takes too long. */
function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((settle) => {
    child.once('exit', () => settle());
    child.ref();
    child.kill('SIGTERM');
  });
}
