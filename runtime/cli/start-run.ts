/** Starts a topology with everything around it: log, store, engine, its HTTP server and the file that others find it by. */
import { type Clock, systemClock } from '../clock.ts';
import { endsWithin } from '../execution/ends-within.ts';
import type { Engine } from '../execution/engine.ts';
import { startEngine } from '../execution/engine.ts';
import { processCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { startObserveServer } from '../observe/http-server.ts';
import { createLogger } from '../observe/logger.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { CommandContext } from './context.ts';
import { writeRunFile } from './run-file.ts';
import { openServices, type Services } from './services.ts';

export interface RunSettings {
  readonly topology: BoundTopology;
  readonly context: CommandContext;
  readonly directory: string;
  readonly observe: { readonly host: string; readonly port: number };
  /** Engine time. */
  readonly clock: Clock;
  readonly acceptLoss: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly jsonLogs: boolean;
}

export interface Run {
  readonly engine: Engine;
  readonly services: Services;
  readonly observeUrl: string;
  /** Resolves with the error when the engine cannot go on. */
  readonly failed: Promise<unknown>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRun(settings: RunSettings): Promise<Run> {
  const { topology, context, directory } = settings;
  const logger = createLogger({
    level: settings.logLevel,
    plain: !settings.jsonLogs,
    redact: (text) => topology.redactor.redact(text),
    write: (line) => context.printError(line),
  });
  const { clock } = settings;
  const services = await openServices({ directory, env: context.env, clock: systemClock(), logger });
  try {
    logger.info({ nats: services.logAddress, clickhouse: services.storeAddress }, 'log and store are open');
    const engine = await startEngine({
      topology,
      log: services.log,
      store: services.store,
      logger,
      clock,
      acceptLoss: settings.acceptLoss,
      crashPoints: processCrashPoints(),
    });
    const server = await startObserveServer({ engine, clock, ...settings.observe }).catch(async (error) => {
      await engine.stop();
      throw error;
    });
    const removeRunFile = await writeRunFile(directory, {
      topology: topology.name,
      url: server.url,
      processId: process.pid,
    });
    logger.info({ topology: topology.name, observe: server.url }, 'running');
    const closeAround = async () => {
      await removeRunFile();
      await server.close();
      await services.close();
    };
    return {
      engine,
      services,
      observeUrl: server.url,
      failed: Promise.race([engine.failed, services.failed]),
      async drain() {
        logger.info({}, 'draining');
        try {
          await engine.drain();
        } catch (error) {
          await endsWithin(closeAround(), limits.closeDeadlineMs);
          throw error;
        }
        await closeAround();
        logger.info({ accounting: engine.stage.machine.accounting }, 'drained');
      },
      async stop() {
        await engine.stop();
        await closeAround();
      },
    };
  } catch (error) {
    await services.close();
    // What a connector says of its options may quote a secret.
    if (error instanceof Error) error.message = topology.redactor.redact(error.message);
    throw error;
  }
}
