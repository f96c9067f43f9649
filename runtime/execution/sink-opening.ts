/**
 * Opens a sink, at the start or, when its other end is away by then, as soon as that is back. Meanwhile the engine runs: sources
 * acknowledge into the log, and rows wait there.
 */
import type { Clock } from '../clock.ts';
import { MachError, messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';
import type { RunningSink } from '../stream/sink-definition.ts';
import { isStateRefusal } from './fenced.ts';

export interface SinkOpening {
  /** Undefined when the signal has come before. Rejects when nothing but a new start can help. */
  readonly running: Promise<RunningSink | undefined>;
  /** Why it is not open, or null. */
  readonly problem: string | null;
}

/**
 * Resolves when the sink is open, when its other end is away (`MachError.isAway`), or after `waitMs`. Rejects when it is refused by then,
 * such as by a table with other columns. What is refused later (the store was away at the start) is told in `problem` and the log, and
 * tried again: somebody may mend it; the other sinks go on.
 */
export async function openWhenThere(args: {
  readonly sink: string;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  open(): Promise<RunningSink>;
}): Promise<SinkOpening> {
  const { sink, clock, logger, signal } = args;
  let problem: string | null = 'it is being opened';
  let isStarting = true;

  async function attempt(): Promise<RunningSink> {
    const opened = await args.open();
    problem = null;
    if (!signal.aborted) return opened;
    await opened.close();
    throw signal.reason;
  }

  async function tryUntilOpen(): Promise<RunningSink | undefined> {
    for (let attempts = 1; !signal.aborted; attempts++) {
      try {
        return await attempt();
      } catch (error) {
        if (signal.aborted) break;
        if (isStarting && !isAway(error)) throw error;
        if (isStateRefusal(error)) throw error;
        problem = `${codeOf(error)}${messageOf(error)} (tried ${attempts} times)`;
        isStarting = false;
        started();
        const retryMs = Math.min(limits.sinkRetryDelayMs * 2 ** (attempts - 1), limits.sinkOpenRetryDelayMaxMs);
        logger.error(
          { sink, attempts, retryMs, error: problem },
          'the sink cannot be opened; its rows wait in the log',
        );
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
    return undefined;
  }

  let started: () => void = () => {};
  const away = new Promise<void>((resolve) => {
    started = resolve;
  });
  const ended = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  // An attempt under way is not waited for: what it still opens it closes again.
  const running = Promise.race([tryUntilOpen(), ended]);
  // Whoever runs the sink is told; here nobody listens after the start.
  running.catch(() => undefined);
  const timer = clock.after(args.waitMs, () => {
    isStarting = false;
    started();
  });
  try {
    await Promise.race([running, away]);
  } finally {
    timer.cancel();
  }
  return {
    running,
    get problem() {
      return problem;
    },
  };
}

function isAway(error: unknown): boolean {
  return error instanceof MachError && error.isAway;
}

function codeOf(error: unknown): string {
  return error instanceof MachError ? `${error.code} ` : '';
}
