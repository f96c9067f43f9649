/**
 * The log of a topology for commands that look into it, whether an engine runs or not: that of NATS_URL; else the embedded one of the
 * engine that runs on the data folder; else a server started on that folder for as long as the command takes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../bus/log.ts';
import { serverFolderOf } from '../bus/server-folder.ts';
import { systemClock } from '../clock.ts';
import { MachError } from '../errors.ts';
import { cliErrors } from './errors.ts';
import { cliLimits } from './limits.ts';

export interface ReachedLog {
  readonly log: Log;
  /** The server was started for this command: no engine runs on the folder. */
  readonly isOwn: boolean;
  close(): Promise<void>;
}

/** Rejects with MACH1630 when nothing has ever run on the folder, with MACH3009 when a server does not answer. */
export async function reachLog(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
}): Promise<ReachedLog> {
  const { connectLog } = await import('../bus/index.ts');
  const clock = systemClock();
  if (args.env.NATS_URL) {
    const log = await connectLog({ url: args.env.NATS_URL, clock });
    return { log, isOwn: false, close: () => log.close() };
  }
  const { url, stop } = await embeddedServer(args.directory);
  try {
    const log = await connectLog({ url, clock });
    return {
      log,
      isOwn: stop !== undefined,
      async close() {
        await log.close();
        await stop?.();
      },
    };
  } catch (error) {
    await stop?.();
    throw error;
  }
}

async function embeddedServer(data: string): Promise<{ url: string; stop?: () => Promise<void> }> {
  const { findRunningServer, hasStorage, startNatsServer } = await import('../bus/index.ts');
  const directory = serverFolderOf(data);
  if (!hasStorage(directory)) throw cliErrors.make('MACH1630', { directory: data });
  for (let attempt = 1; ; attempt++) {
    const url = await findRunningServer(directory);
    if (url) return { url };
    try {
      const server = await startNatsServer({ directory });
      return { url: server.url, stop: () => server.stop() };
    } catch (error) {
      // An engine has just taken the folder, and its server is not up yet; or it is on its way out.
      const isTaken = error instanceof MachError && error.code === 'MACH3011';
      if (!isTaken || attempt >= cliLimits.folderAttemptsMax) throw error;
      await sleep(cliLimits.folderRetryMs);
    }
  }
}
