/** One measured run in a process of its own: what one leaves behind, in memory or in compiled code, is not the next one's. */
import { once } from 'node:events';
import { forkProgram } from '../machine.ts';
import { openLog } from '../nexmark/logs.ts';
import {
  loadStreamTopology,
  type Measured,
  measureQuery,
  passingOf,
  type StreamOptions,
} from '../nexmark/run-query.ts';
import { bytesPerKeyOf, type KeptState } from './state-memory.ts';

export interface Trial {
  /** The whole engine over a log in memory, or what state alone takes. */
  readonly of: 'run' | 'memory';
  readonly file: string;
  readonly stream: StreamOptions;
  /** Variables of the topology file. */
  readonly variables: Readonly<Record<string, string>>;
  readonly partitions: number;
  readonly checkpointEveryMs: number;
  /** Events of a run of the same kind before it. */
  readonly warmUpEvents: number;
}

export type TrialResult = (Measured & { readonly of: 'run' }) | (KeptState & { readonly of: 'memory' });

export async function runTrial(trial: Trial): Promise<TrialResult> {
  const child = forkProgram('growth/trial.ts', ['--expose-gc']);
  try {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`a run has ended with code ${code} before it had a figure (${trial.file})`);
    });
    ended.catch(() => undefined);
    child.send(trial);
    const [result] = (await Promise.race([once(child, 'message'), ended])) as [TrialResult];
    return result;
  } finally {
    child.kill();
  }
}

async function work(trial: Trial): Promise<TrialResult> {
  const { file, stream, variables } = trial;
  if (trial.of === 'memory')
    return { of: 'memory', ...bytesPerKeyOf(loadStreamTopology(file, stream, { variables }), stream) };
  if (trial.warmUpEvents > 0) await measure(trial, { ...stream, events: trial.warmUpEvents });
  return { of: 'run', ...(await measure(trial, stream)) };
}

async function measure({ file, variables, partitions, checkpointEveryMs }: Trial, stream: StreamOptions) {
  const topology = loadStreamTopology(file, stream, { variables });
  const { log, close } = await openLog('memory', passingOf(topology, { partitions, keepsRows: false }));
  try {
    return await measureQuery(topology, log, { ...stream, partitions, checkpointEveryMs });
  } finally {
    await close();
  }
}

export async function runProgram(): Promise<void> {
  // Who asked is gone: nobody wants the figure.
  process.once('disconnect', () => process.exit());
  const [trial] = (await once(process, 'message')) as [Trial];
  const result = await work(trial);
  process.send?.(result, () => process.disconnect());
}
