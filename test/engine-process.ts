/** `mach run` as a process of its own, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

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

/** Starts it and waits until it says that it is running. Rejects with its log when it ends before that. */
export function startEngineProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<EngineProcess> {
  const child = spawn(process.execPath, [mach, 'run', ...args, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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
        if (line.msg !== 'running') continue;
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
