/** Structured logs: one JSON object a line, secrets of the topology taken out; shorter lines for a terminal. */
import pino from 'pino';
import type { Logger } from '../stream/definition.ts';

export interface LoggerOptions {
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Lines for people rather than JSON. */
  readonly plain?: boolean;
  /** Takes secret values out of a line. */
  redact?(text: string): string;
  write(line: string): void;
}

const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

export function createLogger({ level = 'info', plain = false, redact, write }: LoggerOptions): Logger {
  const stream = {
    write(line: string) {
      if (!plain && !redact) return write(line.trimEnd());
      const fields = redact ? redacted(line, redact) : (JSON.parse(line) as Record<string, unknown>);
      write(plain ? plainLine(fields) : JSON.stringify(fields));
    },
  };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/** Texts only: a secret that is made of digits must not break the numbers of the line, nor its time. */
function redacted(line: string, redact: (text: string) => string): Record<string, unknown> {
  const { time } = JSON.parse(line) as Record<string, unknown>;
  const fields = JSON.parse(line, (_, value) => (typeof value === 'string' ? redact(value) : value));
  return { ...(fields as Record<string, unknown>), time };
}

/** A line of the logger as people read it. */
export function plainLine({ level, time, msg, ...fields }: Record<string, unknown>): string {
  const rest = Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return `${String(time).slice(11, 19)} ${(levels[level as number] ?? '').padEnd(5)} ${String(msg)}${rest ? `  ${rest}` : ''}`;
}
