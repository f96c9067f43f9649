/** What the command lines of several workloads have in common. */
import { parseDuration } from '../runtime/stream/options.ts';

/** Wrong use; `bench/main.ts` knows it by the code. */
export class UseError extends Error {
  readonly code = 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE';
}

export function whole(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text.replaceAll('_', ''));
  if (Number.isInteger(value) && value >= least && value <= most && text.trim() !== '') return value;
  throw new UseError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
}

export function durationMs(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = parseDuration(text);
  if (value !== undefined && value >= least && value <= most) return value;
  throw new UseError(`--${name} is a time such as 10s, from ${least} ms to ${most} ms, not "${text}"`);
}

export function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UseError(`--${name} is ${known.join(' or ')}, not "${text}"`);
}
