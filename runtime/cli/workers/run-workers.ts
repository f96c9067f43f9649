/** `mach run --workers N`: log and store here, the engine in N processes. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { steadyClock } from '../../clock.ts';
import { endsWithin } from '../../execution/ends-within.ts';
import { executionErrors } from '../../execution/errors.ts';
import { settlePartitions } from '../../execution/rescale/deployed-partitions.ts';
import { limits } from '../../limits.ts';
import { createLogger } from '../../observe/logger.ts';
import { refuseUnknownLoss } from '../accept-loss.ts';
import { uniqueName } from '../join-workers.ts';
import { writeRunFile } from '../run-file.ts';
import { openServices } from '../services.ts';
import type { RunSettings } from '../start-run.ts';
import { startUpgradeServer } from '../upgrade-server.ts';
import { forwardLine } from './forward-lines.ts';
import { startWorkersServer } from './observe.ts';
import { shareVersion } from './share-version.ts';
import { startWorkers } from './supervisor.ts';

const mach = fileURLToPath(new URL('../../../bin/mach.js', import.meta.url));

export interface WorkersRun {
  /** Resolves with the error when the workers cannot go on. */
  readonly failed: Promise<unknown>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorkersRun(args: {
  settings: Omit<RunSettings, 'role'>;
  file: string;
  count: number;
  /** Options of the command line that each worker gets as they are. */
  passed: readonly string[];
  clock: { readonly rate: number; readonly start: number | undefined };
}): Promise<WorkersRun> {
  const { settings, count } = args;
  const { topology, context, directory } = settings;
  const write = (line: string) => context.printError(line);
  const plain = !settings.jsonLogs;
  const redact = (text: string) => topology.redactor.redact(text);
  const logger = createLogger({ level: settings.logLevel, plain, redact, write });
  const startedAt = Date.now();
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
    const partitions = await settlePartitions(services.log, topology.name, {
      wanted: settings.partitions,
      usual: count,
    });
    if (partitions < count) {
      const help = `mach rescale ${topology.name} --partitions ${count}`;
      logger.warn({ partitions, workers: count, help }, 'there are more workers than partitions; some stand by');
    }
    const changeable = await shareVersion({ settings, services, partitions });
    const run = uniqueName();
    const workers = startWorkers({
      count,
      program: mach,
      argumentsOf: (name) => [
        ...['run', changeable.topology.file, '--json', '--data', resolve(directory), '--observe', '127.0.0.1:0'],
        ...['--partitions', String(partitions), '--worker', name, '--worker-run', run, '--worker-count', String(count)],
        ...clockOptions(args.clock, startedAt),
        ...args.passed,
      ],
      env: { ...context.env, ...services.environment },
      clock: steadyClock(),
      logger,
      onLog: (worker, line) => write(redact(forwardLine(worker, line, { plain }))),
      onOutput: (line) => context.print(line),
    });
    const closeServices = async () => {
      await endsWithin(services.close(), limits.drainDeadlineMs);
    };
    try {
      await workers.started;
    } catch (error) {
      await workers.stop();
      throw error;
    }
    const server = await startWorkersServer({ workers: () => workers.all, ...settings.observe }).catch(
      async (error) => {
        await workers.stop();
        throw error;
      },
    );
    const { catalogue } = await context.loadCatalogue();
    const upgrades = await startUpgradeServer({ engine: changeable, catalogue, env: context.env, logger, directory });
    const removeRunFile = await writeRunFile(directory, {
      topology: topology.name,
      file: resolve(topology.file),
      url: server.url,
      processId: process.pid,
      control: upgrades.control,
    });
    logger.info({ topology: topology.name, observe: server.url, workers: count, partitions }, 'running');
    const closeAround = async () => {
      await removeRunFile();
      await upgrades.close();
      await server.close();
      await closeServices();
    };
    return {
      failed: Promise.race([workers.failed, services.failed]),
      async drain() {
        logger.info({}, 'draining');
        const drained = await workers.drain();
        await closeAround();
        if (!drained) throw executionErrors.make('MACH3252');
        logger.info({}, 'drained');
      },
      async stop() {
        await workers.stop();
        await closeAround();
      },
    };
  } catch (error) {
    await services.close();
    throw error;
  }
}

/** All workers have one engine time, those that are started again later too. */
function clockOptions({ rate, start }: { rate: number; start: number | undefined }, startedAt: number): string[] {
  if (rate === 1 && start === undefined) return [];
  const begin = start ?? startedAt;
  return [
    ...['--clock-rate', String(rate), '--clock-start', new Date(begin).toISOString()],
    ...['--worker-clock-origin', String(startedAt)],
  ];
}
