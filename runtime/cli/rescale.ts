/** `mach rescale`. */
import { systemClock, wallTime } from '../clock.ts';
import { executionErrors } from '../execution/errors.ts';
import { rescale } from '../execution/rescale.ts';
import { listenForWorkers } from '../execution/running-workers.ts';
import { limits } from '../limits.ts';
import { createLogger } from '../observe/logger.ts';
import type { CommandContext } from './context.ts';
import { cliErrors } from './errors.ts';
import { reachLog } from './reach-log.ts';

export interface RescaleFlags {
  readonly partitions: string;
  readonly data: string;
  readonly json?: true;
}

const progressEveryMs = 1_000;

export async function rescaleCommand(file: string, flags: RescaleFlags, context: CommandContext): Promise<void> {
  const partitions = Number(flags.partitions);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > limits.partitionsMax)
    throw cliErrors.make('MACH1620', { option: '--partitions', value: flags.partitions });
  const topology = await context.loadTopology(file);
  const reached = await reachLog({ directory: flags.data, env: context.env });
  try {
    const clock = systemClock();
    const workers = reached.isOwn ? [] : await listenForWorkers(reached.log, topology.name, clock);
    // On a data folder whose server somebody else has started, an engine runs.
    const isRunning = workers.length > 0 || (!reached.isOwn && !context.env.NATS_URL);
    if (isRunning) {
      const reason = workers.length > 0 ? `${workers.join(', ')} runs it` : `an engine runs on ${flags.data}`;
      throw executionErrors.make('MACH3213', { topology: topology.name, reason });
    }
    let saidAt = wallTime();
    const done = await rescale({
      log: reached.log,
      topology,
      partitions,
      logger: createLogger({
        level: 'warn',
        plain: true,
        redact: (text) => topology.redactor.redact(text),
        write: (line) => context.printError(line),
      }),
      onProgress({ handled, last }) {
        if (wallTime() - saidAt < progressEveryMs) return;
        saidAt = wallTime();
        context.printError(`${handled} of ${last} messages (${Math.floor((100 * handled) / last)} %)`);
      },
    });
    if (flags.json) context.print(JSON.stringify({ topology: topology.name, ...done }));
    else {
      const { before, messages, checkpoints } = done;
      context.print(
        `${topology.name}: from ${before} to ${partitions} partitions (${messages} messages read, ${checkpoints} checkpoints written).\nStart it with: mach run ${file} --partitions ${partitions}`,
      );
    }
  } finally {
    await reached.close();
  }
}
