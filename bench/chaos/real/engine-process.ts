/** One engine process (`mach run`), and a supervisor that starts it again whenever it ends, as systemd would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const mach = fileURLToPath(new URL('../../../bin/mach.js', import.meta.url));
const preload = pathToFileURL(fileURLToPath(new URL('./preload.mjs', import.meta.url))).href;
export const topologyFile = fileURLToPath(new URL('./topology.yaml', import.meta.url));
const linesKept = 2_000;

export interface LogLine {
  readonly level?: number;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Command =
  | { readonly kind: 'arm'; readonly point: string; readonly visit: number }
  | { readonly kind: 'block'; readonly ms: number }
  | { readonly kind: 'fill'; readonly bytes: number; readonly stepMs: number }
  | { readonly kind: 'empty' };

export interface EngineRun {
  readonly processId: number;
  readonly startedAt: number;
  readonly lines: readonly LogLine[];
  /** What it printed that is no log line. */
  readonly text: string;
  /** Set once it says that it runs. */
  readonly observeUrl: string | undefined;
  readonly storeUrl: string | undefined;
  readonly ended: Promise<Ended>;
  readonly isAlive: boolean;
  send(command: Command): void;
  signal(name: NodeJS.Signals): void;
}

export interface EngineStart {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
}

export function startEngineRun(start: EngineStart): EngineRun {
  const { NATS_URL: _nats, CLICKHOUSE_URL: _store, MACH_CHAOS_ARM: _arm, ...inherited } = process.env;
  const parameters = [...(start.nodeArguments ?? []), '--import', preload, mach, 'run', ...start.arguments, '--json'];
  const child: ChildProcess = spawn(process.execPath, parameters, {
    env: { ...inherited, ...start.environment },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const lines: LogLine[] = [];
  let text = '';
  let rest = '';
  let observeUrl: string | undefined;
  let storeUrl: string | undefined;
  child.on('error', (error) => {
    text += error.message;
  });
  const take = (line: LogLine) => {
    lines.push(line);
    if (lines.length > linesKept) lines.splice(0, lines.length - linesKept);
    if (typeof line.clickhouse === 'string') storeUrl = line.clickhouse.split(' ')[0];
    if (line.msg === 'running') observeUrl = String(line.observe);
  };
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      try {
        take(JSON.parse(part) as LogLine);
      } catch {
        text = `${text}${part}\n`.slice(-20_000);
      }
    }
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', kill);
      resolve({ code, signal });
    });
  });
  return {
    processId: child.pid ?? 0,
    startedAt: Date.now(),
    lines,
    get text() {
      return text;
    },
    get observeUrl() {
      return observeUrl;
    },
    get storeUrl() {
      return storeUrl;
    },
    ended,
    get isAlive() {
      return child.exitCode === null && child.signalCode === null;
    },
    send(command) {
      if (child.connected) child.send(command, () => undefined);
    },
    signal: (name) => void child.kill(name),
  };
}

export interface WorkerEnd extends Ended {
  readonly processId: number;
  readonly at: number;
  /** The last error that it logged, if any. */
  readonly error: string | undefined;
}

export interface Worker {
  /** The process that is there now, or was last. */
  readonly run: EngineRun;
  readonly ends: readonly WorkerEnd[];
  /** How the next starts differ: crash points armed from the beginning, limits of the heap. */
  next: { environment?: Record<string, string>; nodeArguments?: string[]; arguments?: string[] };
  /** The process now there says that it runs. False at the deadline. */
  untilRunning(deadlineMs?: number): Promise<boolean>;
  /** The process that was there has ended. False at the deadline. */
  untilEnded(run: EngineRun, deadlineMs: number): Promise<boolean>;
  /** SIGSTOP until `resume`; what it has open stays open. */
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
  /** Not started again until `release`. */
  hold(): void;
  release(): void;
  stop(): Promise<void>;
}

const restartDelayMs = 150;
/** No promise of the engine: a machine that is busy with much else needs minutes to start a process. */
const startDeadlineMs = 300_000;

export function superviseEngine(startOf: () => EngineStart, onStart: (run: EngineRun) => void): Worker {
  const ends: WorkerEnd[] = [];
  let held = false;
  let paused = false;
  let stopped = false;
  let wake: () => void = () => {};

  function start(): EngineRun {
    const base = startOf();
    const { environment = {}, nodeArguments = [], arguments: more = [] } = worker.next;
    const run = startEngineRun({
      arguments: [...base.arguments, ...more],
      environment: { ...base.environment, ...environment },
      nodeArguments: [...(base.nodeArguments ?? []), ...nodeArguments],
    });
    worker.next = {};
    onStart(run);
    return run;
  }

  let run: EngineRun;
  const watch = async () => {
    for (;;) {
      const { processId } = run;
      const ended = await run.ended;
      const last = run.lines.findLast(({ level = 0 }) => level >= 50);
      const error = last
        ? `${last.msg}: ${String(last.error ?? '')}`
        : run.text.trim().split('\n').slice(-12).join(' | ');
      ends.push({ ...ended, processId, at: Date.now(), error });
      await sleep(restartDelayMs);
      while (held && !stopped) await new Promise<void>((resolve) => (wake = resolve));
      if (stopped) return;
      run = start();
    }
  };

  const worker: Worker = {
    next: {},
    get run() {
      return run;
    },
    ends,
    async untilRunning(deadlineMs = startDeadlineMs) {
      const until = Date.now() + deadlineMs;
      while (!(run.isAlive && run.observeUrl)) {
        if (Date.now() > until) return false;
        await sleep(30);
      }
      return true;
    },
    async untilEnded(which: EngineRun, deadlineMs: number) {
      return Promise.race([which.ended.then(() => true), sleep(deadlineMs, false, { ref: false })]);
    },
    pause() {
      paused = true;
      run.signal('SIGSTOP');
    },
    resume() {
      paused = false;
      run.signal('SIGCONT');
    },
    get isPaused() {
      return paused;
    },
    hold() {
      held = true;
    },
    release() {
      held = false;
      wake();
    },
    async stop() {
      stopped = true;
      wake();
      run.signal('SIGCONT');
      run.signal('SIGTERM');
      const drained = await Promise.race([run.ended.then(() => true), sleep(35_000, false, { ref: false })]);
      if (!drained) run.signal('SIGKILL');
      await watching;
    },
  };
  run = start();
  const watching = watch();
  return worker;
}
