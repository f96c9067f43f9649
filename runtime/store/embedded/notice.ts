/** What the embedded store has to say to people, and how it is said in the log. */
import type { Logger } from '../../stream/definition.ts';
import { storeErrors } from '../errors.ts';
import type { Healed } from './heal.ts';

export type StoreNotice =
  | { readonly kind: 'disk-full' | 'disk-room'; readonly text: string }
  | { readonly kind: 'broken-part'; readonly table: string; readonly part: string; readonly problem: string }
  | ({ readonly kind: 'healed' } & Healed);

export function logNotice(logger: Logger | undefined, notice: StoreNotice): void {
  if (!logger) return;
  switch (notice.kind) {
    case 'disk-full': {
      const { code, message } = storeErrors.make('MACH3110', { reason: notice.text });
      return logger.error({ code }, message);
    }
    case 'disk-room':
      return logger.info({ room: notice.text }, 'the disk of the embedded store has room again');
    case 'broken-part': {
      const { table, part, problem } = notice;
      const { code, message } = storeErrors.make('MACH3111', { part, reason: problem });
      return logger.error({ code, table, part }, message);
    }
    case 'healed':
      return logHealed(logger, notice);
  }
}

function logHealed(logger: Logger, { table, setAside, tokensForgotten, blocksMissing }: Healed): void {
  if (blocksMissing > 0) {
    const { code, message } = storeErrors.make('MACH3112', { table, blocks: blocksMissing });
    return logger.error({ code, table, setAside }, message);
  }
  if (setAside.length === 0 && tokensForgotten === 0) return;
  logger.warn({ table, setAside, tokensForgotten }, 'the embedded store has put right what an earlier end had left');
}
