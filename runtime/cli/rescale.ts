/** `mach rescale`. */

import { systemClock } from '../clock.ts';
import { counted } from '../counted.ts';
import { executionErrors } from '../execution/errors.ts';
import { rescale } from '../execution/rescale/rescale.ts';
import { listenForWorkers } from '../execution/running-workers.ts';
import { rebindVersion } from '../execution/upgrade/rebind.ts';
import { limits } from '../limits.ts';
import { createLogger } from '../observe/logger.ts';
import type { CommandContext } from './context.ts';
import { cliErrors } from './errors.ts';
import { reachLog } from './reach-log.ts';
import { takesCount } from './takes.ts';

export interface RescaleFlags {
  readonly partitions: string;
  readonly data: string;
  readonly json?: true;
}

export async function rescaleCommand(file: string, flags: RescaleFlags, context: CommandContext): Promise<void> {
  const partitions = Number(flags.partitions);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > limits.partitionsMax)
    throw cliErrors.make('MACH1620', {
      option: '--partitions',
      value: flags.partitions,
      takes: takesCount(limits.partitionsMax),
    });
  const topology = await context.loadTopology(file);
  const reached = await reachLog({ directory: flags.data, env: context.env });
  try {
    const { name } = topology;
    const runs = async (): Promise<string | undefined> => {
      const workers = reached.isOwn ? [] : await listenForWorkers(reached.log, name, systemClock());
      if (workers.length > 0) return `${workers.join(', ')} runs it`;
      // On a data folder whose server somebody else has started, an engine runs.
      return !reached.isOwn && !context.env.NATS_URL ? `an engine runs on ${flags.data}` : undefined;
    };
    const reason = await runs();
    if (reason !== undefined) throw executionErrors.make('MACH3213', { topology: name, reason });
    const { catalogue } = await context.loadCatalogue();
    const done = await rescale({
      log: reached.log,
      topology,
      partitions,
      rebind: rebindVersion({ catalogue, env: context.env }),
      runs,
      logger: createLogger({
        level: 'warn',
        plain: true,
        redact: (text) => topology.redactor.redact(text),
        write: (line) => context.printError(line),
      }),
    });
    if (flags.json) context.print(JSON.stringify({ topology: name, ...done }));
    else {
      const { before, sequence, checkpoints } = done;
      context.print(
        `${name}: from ${before} to ${counted(partitions, 'partition')} (state cut at message ${sequence}, ${counted(checkpoints, 'checkpoint')} written).\nStart it with: mach run ${file} --partitions ${partitions}`,
      );
    }
  } finally {
    await reached.close();
  }
}
