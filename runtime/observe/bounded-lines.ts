/**
 * A log that a flood cannot fill: what senders bring about (a refused message, a connection that breaks) makes a line each, and whoever sends
 * enough of it would fill the disk. Of each kind of line so many are written in a period; how many more there were is said when it is over.
 */
import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../stream/definition.ts';

type Level = 'info' | 'warn' | 'error';

/** What lines of one kind have in common. */
interface Likeness {
  readonly level: Level;
  readonly node?: string;
  readonly code?: string;
}

interface Kind extends Likeness {
  written: number;
  leftOut: number;
  /** Of the newest that was left out. */
  newest: string;
}

export interface BoundedLines extends Logger {
  /** Says what was left out until now. */
  end(): void;
}

/** Lines of one level, node and code, or of one text where they have no code, are of a kind. Who asks for `debug` gets all. */
export function boundedLines(logger: Logger, clock: Pick<Clock, 'after'>): BoundedLines {
  const kinds = new Map<string, Kind>();
  let isInPeriod = false;

  function endPeriod(): void {
    isInPeriod = false;
    for (const { level, node, code, leftOut, newest } of kinds.values()) {
      if (leftOut === 0) continue;
      const like = { ...(node !== undefined && { node }), ...(code !== undefined && { code }) };
      logger[level]({ ...like, leftOut, newest }, 'more lines of this kind were left out (logLinesOfKindMax)');
    }
    kinds.clear();
  }

  function kindOf(level: Level, fields: object, message: string): Kind {
    const { node, code } = fields as { readonly node?: unknown; readonly code?: unknown };
    const like: Likeness = {
      level,
      ...(typeof node === 'string' && { node }),
      ...(typeof code === 'string' && { code }),
    };
    const name = JSON.stringify([level, like.node, like.code ?? message]);
    const known = kinds.get(name);
    if (known) return known;
    // Texts that differ each time, and what else comes in too many kinds, are one.
    const isOne = kinds.size >= limits.logLineKindsMax;
    const other = isOne ? kinds.get(level) : undefined;
    if (other) return other;
    const kind: Kind = { ...(isOne ? { level } : like), written: 0, leftOut: 0, newest: '' };
    kinds.set(isOne ? level : name, kind);
    return kind;
  }

  const bounded = (level: Level) => (fields: object, message: string) => {
    if (!isInPeriod) clock.after(limits.logLinesPeriodMs, endPeriod);
    isInPeriod = true;
    const kind = kindOf(level, fields, message);
    if (kind.written < limits.logLinesOfKindMax) {
      kind.written++;
      logger[level](fields, message);
      return;
    }
    kind.leftOut++;
    kind.newest = message;
  };
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: bounded('info'),
    warn: bounded('warn'),
    error: bounded('error'),
    end: endPeriod,
  };
}
