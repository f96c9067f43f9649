/** The log that a query runs over: in the memory of this process, or JetStream in a server of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectLog, startNatsServer } from '../../runtime/bus/index.ts';
import type { Log } from '../../runtime/bus/log.ts';
import { type MemoryLogOptions, memoryLog } from '../../runtime/bus/memory/log.ts';
import { systemClock } from '../../runtime/clock.ts';
import { cpuSecondsOf } from '../machine.ts';

export const logKinds = ['memory', 'jetstream'] as const;
export type LogKind = (typeof logKinds)[number];

export interface OpenLog {
  readonly log: Log;
  /** Where other processes reach it. */
  readonly url: string | undefined;
  /** Processor time of its server, s. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

/** `passing`: how a log in memory hands messages on, and forgets them on the way. Absent: it keeps everything, as bytes. */
export async function openLog(kind: LogKind, passing?: MemoryLogOptions['passing']): Promise<OpenLog> {
  if (kind === 'memory') {
    const log = memoryLog({ clock: systemClock(), ...(passing && { passing }) });
    return { log, url: undefined, cpuSeconds: () => 0, close: () => log.close() };
  }
  const directory = await mkdtemp(join(tmpdir(), 'mach-nexmark-nats-'));
  try {
    const server = await startNatsServer({ directory });
    const log = await connectLog({ url: server.url, clock: systemClock() });
    return {
      log,
      url: server.url,
      cpuSeconds: () => cpuSecondsOf(server.processId),
      async close() {
        await log.close();
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
