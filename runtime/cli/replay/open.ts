/** What commands about the past need: the log and the store, whether an engine runs or not. */
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import { MachError } from '../../errors.ts';
import { readTime, takesTime } from '../../read-time.ts';
import type { Store } from '../../store/store.ts';
import type { Logger } from '../../stream/definition.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { type ReachedLog, reachLog } from '../reach-log.ts';

export async function withLog<T>(
  directory: string,
  context: CommandContext,
  body: (reached: ReachedLog) => Promise<T>,
): Promise<T> {
  const reached = await reachLog({ directory, env: context.env });
  try {
    return await body(reached);
  } finally {
    await reached.close();
  }
}

/** The store of the environment; else the embedded one of the data folder: that of the engine that runs, or one of our own. */
export async function withStore<T>(
  directory: string,
  context: CommandContext,
  body: (store: Store) => Promise<T>,
): Promise<T> {
  const { openStore } = await import('../../store/index.ts');
  const url = context.env.CLICKHOUSE_URL;
  const store = await openStore({
    directory: join(directory, 'clickhouse'),
    clock: systemClock(),
    logger: quietLogger(context),
    ...(url ? { url } : {}),
  });
  try {
    return await body(store);
  } finally {
    await store.close();
  }
}

/** Warnings alone: progress is said by the command itself. */
export function quietLogger(context: CommandContext): Logger {
  const say = (fields: object, message: string) => context.printError(`${message} ${JSON.stringify(fields)}`);
  return { debug() {}, info() {}, warn: say, error: say };
}

export type Position = { readonly sequence: number } | { readonly time: number };

/** A sequence, or a time with its offset. Throws MACH1620. */
export function positionOf(option: string, text: string): Position {
  if (/^\d{1,15}$/.test(text)) return { sequence: Number(text) };
  const time = readTime(text);
  if (time === null)
    throw cliErrors.make('MACH1620', { option, value: text, takes: `a sequence of the log, or ${takesTime}` });
  return { time };
}

/** A signal that is aborted by the first Ctrl-C or SIGTERM. */
export function interruption(): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('interrupted'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, abort);
  return {
    signal: controller.signal,
    done() {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, abort);
    },
  };
}

/** Names, times and ranges that were given and are wrong: a place outside the log, a shadow or checkpoint that is not there, or is there. */
const usageCodes = new Set([
  'MACH3231',
  'MACH3234',
  'MACH3235',
  'MACH3236',
  'MACH3238',
  'MACH3240',
  'MACH3241',
  'MACH3244',
]);

/** What is wrong with the command line ends with exit code 2, wherever it is found out. */
export async function asUsage(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof MachError) || !usageCodes.has(error.code)) throw error;
    const { code, message } = error;
    throw new CommandExit(exitCodes.usage, `${code}  ${message}\nmach help ${code} tells more.`);
  }
}
