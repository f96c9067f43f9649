/** Starts the child process once, and knows what it said last. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../errors.ts';
import { embeddedLimits } from '../limits.ts';
import type { StoreNotice } from './notice.ts';
import { readState, type StoreState } from './state-file.ts';

export type StartOutcome =
  | { readonly kind: 'serving'; readonly child: ChildProcess; readonly state: StoreState }
  | { readonly kind: 'failed'; readonly heldByAnother: boolean; readonly reason: string };

export interface ChildOptions {
  readonly directory: string;
  readonly port: number;
  /** Outlives the process that started it. */
  readonly detached: boolean;
  /** Room that is left free on the disk; default: see `diskRoom`. */
  readonly reserveBytes?: number | undefined;
  /** What the child has to say while it lives; nothing comes from one that is detached. */
  onNotice?(notice: StoreNotice): void;
}

const libuvThreads = embeddedLimits.insertSessions + embeddedLimits.readSessions + embeddedLimits.commandSessions + 6;

const program = fileURLToPath(new URL('../../../bin/store.js', import.meta.url));

function command({ directory, port, detached, reserveBytes }: ChildOptions): string[] {
  const flags = [
    ...(detached ? ['--detached'] : []),
    ...(reserveBytes === undefined ? [] : [`--reserve=${reserveBytes}`]),
  ];
  return [program, directory, String(port), ...flags];
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

/** What the child says on stderr: a pipe, or a file for one that outlives us. */
function errorOutput({ directory, detached }: ChildOptions) {
  const tail = tailOf(embeddedLimits.stderrBytesMax);
  if (!detached) {
    return {
      stdio: 'pipe' as const,
      attach: (child: ChildProcess) => child.stderr?.on('data', tail.add),
      text: tail.text,
      close() {},
    };
  }
  const path = join(directory, `start-${process.pid}.log`);
  const file = openSync(path, 'w', 0o600);
  const text = () => readFileSync(path, 'utf8').slice(-embeddedLimits.stderrBytesMax).trim();
  const close = () => {
    closeSync(file);
    rmSync(path, { force: true });
  };
  return { stdio: file, attach() {}, text, close };
}

const heldByAnother = (text: string) => /Cannot lock file|CANNOT_OPEN_FILE/.test(text);

/** Starts a child and waits until it serves or has failed. */
export function startChild(options: ChildOptions): Promise<StartOutcome> {
  try {
    mkdirSync(options.directory, { recursive: true });
  } catch (error) {
    return Promise.resolve({ kind: 'failed', heldByAnother: false, reason: messageOf(error) });
  }
  const before = readState(options.directory)?.instance;
  const errors = errorOutput(options);
  const pipe = options.detached ? 'ignore' : 'pipe';
  const child = spawn(process.execPath, command(options), {
    stdio: [pipe, pipe, errors.stdio],
    detached: options.detached,
    env: environment(),
  });
  errors.attach(child);
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
      errors.close();
      resolve(outcome);
    };
    const fail = (reason: string) => {
      const said = answered ? '' : errors.text();
      settle({ kind: 'failed', heldByAnother: heldByAnother(said), reason: [reason, said].filter(Boolean).join(': ') });
    };
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`no answer within ${embeddedLimits.startTimeoutMs} ms (startTimeoutMs)`);
    }, embeddedLimits.startTimeoutMs);
    // A detached child has no pipes: it is known by its state file.
    const poll = setInterval(() => {
      const state = options.detached ? readState(options.directory) : undefined;
      if (state && state.instance !== before && state.pid === child.pid) settle({ kind: 'serving', child, state });
    }, 50);
    child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (output + chunk.toString('utf8')).split('\n');
      output = lines.pop() ?? '';
      for (const line of lines) {
        const said = JSON.parse(line) as StoreState | { readonly notice: StoreNotice };
        if ('notice' in said) options.onNotice?.(said.notice);
        else settle({ kind: 'serving', child, state: said });
      }
    });
    child.on('error', (error) => fail(error.message));
    // Not 'exit': what it said last may still be on its way.
    child.on('close', (exitCode, signal) => fail(`ended with ${signal ?? exitCode}`));
  });
}
