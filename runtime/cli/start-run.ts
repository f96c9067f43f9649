/** Starts a topology with everything around it: log, store, engine, its HTTP server and the file that others find it by. */
import { resolve } from 'node:path';
import { type Clock, steadyClock } from '../clock.ts';
import { MachError } from '../errors.ts';
import { endsWithin } from '../execution/ends-within.ts';
import type { Engine, EngineOptions } from '../execution/engine.ts';
import { refuseOtherLog } from '../execution/log-of-rows.ts';
import type { Ownership } from '../execution/ownership.ts';
import { settlePartitions } from '../execution/rescale/deployed-partitions.ts';
import { openAgreement } from '../execution/upgrade/agreement.ts';
import { type LiveEngine, startLiveEngine } from '../execution/upgrade/live-engine.ts';
import { rebindVersion } from '../execution/upgrade/rebind.ts';
import { settleVersion } from '../execution/upgrade/settle-version.ts';
import { processCrashPoints } from '../faults.ts';
import { limits } from '../limits.ts';
import { boundedLines } from '../observe/bounded-lines.ts';
import { startHistory } from '../observe/history/history.ts';
import { startObserveServer } from '../observe/http-server.ts';
import { createLogger } from '../observe/logger.ts';
import type { Logger } from '../stream/definition.ts';
import { mergeAccounting } from '../stream/ledger.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { refuseUnknownLoss } from './accept-loss.ts';
import { isRecorded } from './audit.ts';
import type { CommandContext } from './context.ts';
import { joinWorkers, type WorkerRole } from './join-workers.ts';
import { writeRunFile } from './run-file.ts';
import { openServices, type Services } from './services.ts';
import { startUpgradeServer } from './upgrade-server.ts';

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
  /** Partitions of the topology; those that it has, or one, when absent. */
  readonly partitions?: number | undefined;
  /** Copies of each stream of the log, where NATS_URL is a cluster. */
  readonly replicas?: number | undefined;
  /** This process is a worker of another one. */
  readonly role?: WorkerRole | undefined;
}

export interface Run {
  readonly engine: Engine;
  /** Where the log is shared with other workers. */
  readonly ownership: Ownership | undefined;
  readonly services: Services;
  readonly observeUrl: string;
  /** Resolves with the error when the engine cannot go on. */
  readonly failed: Promise<unknown>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRun(settings: RunSettings): Promise<Run> {
  const { topology, context, directory } = settings;
  const lines = createLogger({
    level: settings.logLevel,
    plain: !settings.jsonLogs,
    redact: (text) => topology.redactor.redact(text),
    write: (line) => context.printError(line),
  });
  const logger = boundedLines(lines, steadyClock());
  const { clock } = settings;
  const services = await openServices({
    directory,
    env: context.env,
    clock: steadyClock(),
    logger,
    replicas: settings.replicas,
  });
  try {
    logger.info({ nats: services.logAddress, clickhouse: services.storeAddress }, 'log and store are open');
    await refuseUnknownLoss(settings.acceptLoss, { topology, log: services.log });
    const admitStore = admitOnce({ topology, ...services, acceptLoss: settings.acceptLoss });
    await refuseAtStart(admitStore, logger);
    const { engine, ownership, failed } = await openEngine(settings, services, { logger, admitStore });
    const { catalogue } = await context.loadCatalogue();
    const upgrades = settings.role
      ? undefined
      : await startUpgradeServer({ engine, catalogue, env: context.env, logger, directory });
    const server = await startObserveServer({
      engine,
      clock,
      log: services.log,
      isRecorded: (asked) => isRecorded(directory, asked),
      ...(ownership ? { ownership } : {}),
      ...settings.observe,
    }).catch(async (error) => {
      await engine.stop();
      await ownership?.leave();
      throw error;
    });
    const history = startHistory({ engine, clock, store: services.store, logger });
    // Those of a worker are found through the one that has started it.
    const removeRunFile = settings.role
      ? async () => undefined
      : await writeRunFile(directory, {
          topology: topology.name,
          file: resolve(topology.file),
          url: server.url,
          processId: process.pid,
          ...(upgrades && { control: upgrades.control }),
        });
    logger.info({ topology: topology.name, observe: server.url }, 'running');
    const closeAround = async () => {
      await removeRunFile();
      await history.close();
      await upgrades?.close();
      await server.close();
      await services.close();
      logger.end();
    };
    return {
      engine,
      ownership,
      services,
      observeUrl: server.url,
      failed: Promise.race([engine.failed, services.failed, failed]),
      async drain() {
        logger.info({}, 'draining');
        // Of what runs here at the end; a unit that was handed over counts where it went.
        const units = [...engine.units.values()];
        try {
          await drainEngine(engine, ownership);
        } catch (error) {
          await endsWithin(closeAround(), limits.closeDeadlineMs);
          throw error;
        }
        await closeAround();
        logger.info({ accounting: mergeAccounting(units.map(({ accounting }) => accounting)) }, 'drained');
      },
      async stop() {
        await engine.stop();
        await ownership?.leave();
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

/** Whether the store is the one of this log; asked again until it has been answered. */
function admitOnce(args: Parameters<typeof refuseOtherLog>[0]): () => Promise<void> {
  let asking: Promise<void> | undefined;
  return () => {
    asking ??= refuseOtherLog(args).catch((error) => {
      asking = undefined;
      throw error;
    });
    return asking;
  };
}

/** A store that is away keeps nobody from starting: sinks ask again before they write. */
async function refuseAtStart(admitStore: () => Promise<void>, logger: Logger): Promise<void> {
  const away = (reason: string) =>
    logger.error({ reason }, 'the store is away: the engine starts, and rows wait in the log until it is back');
  try {
    const inTime = await endsWithin(admitStore(), limits.sinkOpenWaitMs);
    if (!inTime) away(`no answer within sinkOpenWaitMs (${limits.sinkOpenWaitMs} ms)`);
  } catch (error) {
    if (!(error instanceof MachError && error.isAway)) throw error;
    away(`${error.code} ${error.message}`);
  }
}

interface OpenEngine {
  readonly engine: LiveEngine;
  readonly ownership: Ownership | undefined;
  readonly failed: Promise<unknown>;
}

/** With a log of its own the engine runs every partition; on a log that others can reach it runs those that it owns. */
async function openEngine(
  settings: RunSettings,
  services: Services,
  { logger, admitStore }: { logger: Logger; admitStore: () => Promise<void> },
): Promise<OpenEngine> {
  const { topology } = settings;
  const { log, store } = services;
  const options: EngineOptions = {
    topology,
    log,
    store,
    admitStore,
    logger,
    clock: settings.clock,
    acceptLoss: settings.acceptLoss,
    crashPoints: processCrashPoints(),
    partitions: await settlePartitions(log, topology.name, { wanted: settings.partitions }),
  };
  const { catalogue } = await settings.context.loadCatalogue();
  const rebind = rebindVersion({ catalogue, env: settings.context.env });
  if (!services.isShared) {
    return { engine: await startLiveEngine(options, rebind), ownership: undefined, failed: new Promise(() => {}) };
  }
  const agreement = await openAgreement(log, topology.name, steadyClock());
  const follows = settings.role !== undefined;
  const settled = await settleVersion({ log, agreement, topology, clock: steadyClock(), rebind, follows });
  const acceptLoss = [...settings.acceptLoss, ...settled.acceptLoss];
  const shared: EngineOptions = { ...options, topology: settled.topology, acceptLoss, units: [] };
  return joinWorkers({
    log,
    logger,
    role: settings.role,
    startEngine: (given) => startLiveEngine({ ...shared, ...given }, rebind, agreement),
  });
}

/** Where other workers go on, they take over at once; the last one handles and writes what was accepted first. */
async function drainEngine(engine: Engine, ownership: Ownership | undefined): Promise<void> {
  if (ownership?.hasOthers) await ownership.leave();
  ownership?.freeze();
  try {
    await engine.drain();
  } finally {
    await ownership?.leave();
  }
}
