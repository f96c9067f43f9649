/** `mach run` as a process of its own, for tests that kill it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EngineStatus } from '../runtime/observe/status.ts';

const mach = fileURLToPath(new URL('../bin/mach.js', import.meta.url));

export interface EngineProcess {
  readonly process: ChildProcess;
  /** Address of `/status` and its neighbours. */
  readonly observeUrl: string;
  /** Address of the store, without ` (embedded)`. */
  readonly storeUrl: string;
  /** Everything that it has logged. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Any other command of `mach`, to its end. */
export function command(args: readonly string[], env: Readonly<Record<string, string>>) {
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [mach, ...args], { env: { ...process.env, ...env } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err });
    });
  });
}

/** Starts it and waits until it says that it is running. Rejects with its log when it ends before that. */
export function startEngineProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<EngineProcess> {
  const child = spawn(process.execPath, [mach, 'run', ...args, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // A test run that is broken off takes its engines with it.
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const lines: Record<string, unknown>[] = [];
  let text = '';
  let addresses: { observe?: string; store?: string } = {};
  return new Promise((resolve, reject) => {
    void ended.then((code) => reject(new Error(`mach run ended with ${code}:\n${text}`)));
    let rest = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts.filter((one) => one.startsWith('{'))) {
        const line = JSON.parse(part) as Record<string, unknown>;
        lines.push(line);
        if (typeof line.clickhouse === 'string')
          addresses = { ...addresses, store: line.clickhouse.split(' ')[0] ?? '' };
        // A run with several workers says so itself once they all run.
        if (line.msg !== 'running' || line.worker !== undefined) continue;
        addresses = { ...addresses, observe: String(line.observe) };
        resolve({
          process: child,
          observeUrl: addresses.observe ?? '',
          storeUrl: addresses.store ?? '',
          lines,
          async kill() {
            child.kill('SIGKILL');
            await ended;
          },
          async stop() {
            child.kill('SIGTERM');
            return ended;
          },
        });
      }
    });
  });
}

/** A port that was free a moment ago, to be used again after a restart. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export async function statusOf(engine: EngineProcess): Promise<EngineStatus> {
  return (await (await fetch(`${engine.observeUrl}/status`)).json()) as EngineStatus;
}

const pollMs = 100;

/**
 * Everything that was accepted is computed and written, corrections included: they go out with the next step of time after the
 * message that made them. `node`: whose time counts; `last`: the last minute that is asked for, ms since the epoch.
 */
export async function untilComputed(
  engine: EngineProcess,
  { node, last, waitMs = 150_000 }: { node: string; last: number; waitMs?: number },
): Promise<EngineStatus> {
  const deadline = AbortSignal.timeout(waitMs);
  const poll = async (isDone: (status: EngineStatus) => boolean): Promise<EngineStatus> => {
    for (;;) {
      const status = await statusOf(engine);
      if (isDone(status)) return status;
      if (deadline.aborted) throw new Error(`not computed within ${waitMs} ms: ${JSON.stringify(status, null, 1)}`);
      await sleep(pollMs);
    }
  };
  const timeOf = (status: EngineStatus) => status.nodes.find(({ id }) => id === node)?.watermark ?? 0;
  const handled = await poll(({ stage }) => stage.sequence === stage.lastSequence);
  const until = Math.max(last, timeOf(handled)) + 2 * 60_000;
  await poll((status) => timeOf(status) >= until);
  // Rows come out of the log in order: what is counted as gone in must have come out.
  let written = '';
  return poll((status) => {
    const sinks = status.nodes.filter(({ kind }) => kind === 'sink');
    const before = written;
    written = sinks.map(({ out, queue }) => `${out} ${queue}`).join(', ');
    return sinks.every(({ queue }) => queue === 0) && written === before;
  });
}
