/**
 * Worker processes of one `mach run`: started together, started again when they die, drained together. A worker speaks to us over
 * an IPC channel; when that ends, because we are gone, it drains by itself, so that nothing is left behind.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '../../clock.ts';
import { executionErrors } from '../../execution/errors.ts';
import { limits } from '../../limits.ts';
import type { Logger } from '../../stream/definition.ts';

/** What a worker says to the process that has started it. */
export type WorkerMessage =
  /** `observe`: address of its own probes, status and metrics. */
  { readonly kind: 'running'; readonly observe: string } | { readonly kind: 'done'; readonly step: DrainStep };

/** What it is told: to take nothing more in; to handle all there is; to end. */
export type DrainStep = 'close-sources' | 'settle' | 'end';

export interface WorkerProcess {
  /** `w1`, `w2`, ... */
  readonly name: string;
  /** Undefined while it is not running. */
  readonly observeUrl: string | undefined;
  readonly processId: number | undefined;
  readonly restarts: number;
}

export interface Workers {
  readonly all: readonly WorkerProcess[];
  /** Resolves when each has said that it runs; rejects with MACH3250 when one ends before that. */
  readonly started: Promise<void>;
  /** Resolves with MACH3251 when one dies more often than it is started again; never rejects. */
  readonly failed: Promise<unknown>;
  /**
   * Drains all of them together: first nobody takes anything in any more, then each handles what is left and what the others pass to
   * it, then they end. Resolves with whether all of them did so in time.
   */
  drain(): Promise<boolean>;
  /** SIGKILL. */
  stop(): Promise<void>;
}

interface Slot {
  readonly name: string;
  child: ChildProcess | undefined;
  observeUrl: string | undefined;
  ended: Promise<number | null>;
  hasRun: boolean;
  readonly deaths: number[];
  restarts: number;
}

export function startWorkers(args: {
  count: number;
  /** The `mach` program and its arguments for the worker of a name. */
  program: string;
  argumentsOf(name: string): readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  logger: Logger;
  /** One line of a worker's log: of its standard error. */
  onLog(worker: string, line: string): void;
  /** One line of its standard output: rows of a console sink. */
  onOutput(line: string): void;
}): Workers {
  const { clock, logger } = args;
  let ending = false;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const starting: Promise<void>[] = [];

  function launch(slot: Slot): Promise<void> {
    const again = slot.restarts > 0 ? ['--worker-again'] : [];
    const child = fork(args.program, [...args.argumentsOf(slot.name), ...again], {
      env: args.env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    slot.child = child;
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => args.onLog(slot.name, line));
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => args.onOutput(line));
    slot.ended = new Promise((resolve) => {
      child.once('exit', (code) => resolve(code));
      child.once('error', () => resolve(null));
    });
    return new Promise((resolve, reject) => {
      child.on('message', (message: WorkerMessage) => {
        if (message.kind !== 'running') return;
        slot.observeUrl = message.observe;
        slot.hasRun = true;
        resolve();
      });
      void slot.ended.then((code) => {
        slot.child = undefined;
        slot.observeUrl = undefined;
        reject(executionErrors.make('MACH3250', { worker: slot.name, code: String(code) }));
        onEnd(slot, code);
      });
    });
  }

  function onEnd(slot: Slot, code: number | null): void {
    // One that has never run would not the next time: whoever started us is told.
    if (ending || !slot.hasRun) return;
    const now = clock.now();
    slot.deaths.push(now);
    while ((slot.deaths[0] ?? now) < now - limits.workerRestartWindowMs) slot.deaths.shift();
    if (slot.deaths.length > limits.workerRestartsMax) {
      ending = true;
      fail(
        executionErrors.make('MACH3251', {
          worker: slot.name,
          deaths: slot.deaths.length,
          windowMs: limits.workerRestartWindowMs,
        }),
      );
      return;
    }
    const delayMs = Math.min(
      limits.workerRestartDelayMs * 2 ** (slot.deaths.length - 1),
      limits.workerRestartDelayMaxMs,
    );
    logger.warn({ worker: slot.name, code, restartMs: delayMs }, 'worker ended; it is started again');
    clock.after(delayMs, () => {
      if (ending) return;
      slot.restarts++;
      // How a start ends that does not succeed is seen by its end.
      launch(slot).catch(() => undefined);
    });
  }

  const slots = Array.from({ length: args.count }, (_, index): Slot => {
    const slot: Slot = {
      name: `w${index + 1}`,
      child: undefined,
      observeUrl: undefined,
      ended: Promise.resolve(0),
      hasRun: false,
      deaths: [],
      restarts: 0,
    };
    starting.push(launch(slot));
    return slot;
  });
  const killAll = () => {
    for (const { child } of slots) child?.kill('SIGKILL');
  };
  process.once('exit', killAll);

  /** Resolves when the worker has done it; of the last step nobody is told. */
  function tell({ child }: Slot, step: DrainStep): Promise<void> {
    return new Promise((resolve) => {
      if (!child?.connected) return resolve();
      const onMessage = (message: WorkerMessage) => {
        if (message.kind !== 'done' || message.step !== step) return;
        child.off('message', onMessage);
        resolve();
      };
      child.on('message', onMessage);
      child.send(step, () => undefined);
      if (step === 'end') resolve();
    });
  }

  async function endAll(): Promise<void> {
    await Promise.all(slots.map(({ ended }) => ended));
    process.off('exit', killAll);
  }

  const started = Promise.all(starting).then(() => undefined);
  started.catch(() => undefined);
  return {
    all: slots.map((slot) => ({
      name: slot.name,
      get observeUrl() {
        return slot.observeUrl;
      },
      get processId() {
        return slot.child?.pid;
      },
      get restarts() {
        return slot.restarts;
      },
    })),
    started,
    failed,
    async drain() {
      ending = true;
      // This one is for a process that does not react at all.
      const tooLate = clock.after(limits.drainDeadlineMs, killAll);
      for (const step of ['close-sources', 'settle', 'end'] as const) {
        await Promise.all(slots.map((slot) => Promise.race([tell(slot, step), slot.ended])));
      }
      const codes = await Promise.all(slots.map(({ ended }) => ended));
      tooLate.cancel();
      process.off('exit', killAll);
      return codes.every((code) => code === 0);
    },
    async stop() {
      ending = true;
      killAll();
      await endAll();
    },
  };
}
