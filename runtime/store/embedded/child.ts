/** Starts the child process once, and knows what it said last. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { embeddedLimits } from '../limits.ts';
import { readState, type StoreState } from './state-file.ts';

export type StartOutcome =
  | { readonly kind: 'serving'; readonly child: ChildProcess; readonly state: StoreState }
  | { readonly kind: 'failed'; readonly exitCode: number | null; readonly reason: string };

export interface ChildOptions {
  readonly directory: string;
  readonly port: number;
  /** Outlives the process that started it. */
  readonly detached: boolean;
}

const libuvThreads = embeddedLimits.insertSessions + embeddedLimits.readSessions + embeddedLimits.commandSessions + 6;

function command({ directory, port, detached }: ChildOptions): string[] {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const script = fileURLToPath(new URL('./process.ts', import.meta.url));
  return ['--import', loader, script, directory, String(port), ...(detached ? ['--detached'] : [])];
}

/** Keeps the last bytes of a stream. */
export function tailOf(bytesMax: number): { add(chunk: Buffer): void; text(): string } {
  let tail = Buffer.alloc(0);
  return {
    add(chunk) {
      tail = Buffer.concat([tail, chunk]).subarray(-bytesMax);
    },
    text: () => tail.toString('utf8').trim(),
  };
}

function environment(): NodeJS.ProcessEnv {
  // Each session occupies a thread of the pool while its query runs; files need some beside.
  const { NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, UV_THREADPOOL_SIZE: String(libuvThreads) };
}

/** Starts a child and waits until it serves or has failed. */
export function startChild(options: ChildOptions): Promise<StartOutcome> {
  mkdirSync(options.directory, { recursive: true });
  const before = readState(options.directory)?.instance;
  const child = spawn(process.execPath, command(options), {
    stdio: options.detached ? 'ignore' : ['pipe', 'pipe', 'pipe'],
    detached: options.detached,
    env: environment(),
  });
  const stderr = tailOf(embeddedLimits.stderrBytesMax);
  child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));
  child.stdin?.on('error', () => {});
  if (options.detached) child.unref();
  return new Promise((resolve) => {
    let answered = false;
    let output = '';
    const settle = (outcome: StartOutcome) => {
      if (answered) return;
      answered = true;
      clearTimeout(deadline);
      clearInterval(poll);
      resolve(outcome);
    };
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      const reason = `no answer within ${embeddedLimits.startTimeoutMs} ms (startTimeoutMs); ${stderr.text()}`;
      settle({ kind: 'failed', exitCode: null, reason });
    }, embeddedLimits.startTimeoutMs);
    // A detached child has no pipes: it is known by its state file.
    const poll = setInterval(() => {
      const state = options.detached ? readState(options.directory) : undefined;
      if (state && state.instance !== before && state.pid === child.pid) settle({ kind: 'serving', child, state });
    }, 50);
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const line = output.split('\n', 1)[0] ?? '';
      if (!answered && output.includes('\n')) settle({ kind: 'serving', child, state: JSON.parse(line) as StoreState });
    });
    child.on('error', (error) => settle({ kind: 'failed', exitCode: null, reason: error.message }));
    child.on('exit', (exitCode, signal) => {
      const reason = `ended with ${signal ?? exitCode}${stderr.text() ? `: ${stderr.text()}` : ''}`;
      settle({ kind: 'failed', exitCode, reason });
    });
  });
}
