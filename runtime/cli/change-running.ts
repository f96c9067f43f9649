/** `mach run` where the topology runs already: that engine goes on with this version. */
import { serverFolderOf } from '../bus/server-folder.ts';
import type { BoundTopology } from '../topology/bound.ts';
import type { CommandContext } from './context.ts';
import { cliErrors } from './errors.ts';
import { CommandExit, exitCodes } from './exit-codes.ts';
import type { RunFile } from './run-file.ts';
import type { RunSettings } from './start-run.ts';

/** What a running engine can be given with another version. Everything else is decided when a process starts. */
const givenToRunning = new Set(['--data', '--accept-loss']);

/** False: none runs here, or this process is to join it. */
export async function changeRunning(args: {
  readonly topology: BoundTopology;
  readonly settings: Pick<RunSettings, 'directory' | 'acceptLoss' | 'partitions'>;
  readonly context: CommandContext;
  /** Options that stand on the command line. */
  readonly given: readonly string[];
}): Promise<boolean> {
  const { topology, settings, context } = args;
  const { directory, acceptLoss } = settings;
  const { askUpgrade, findRunning } = await import('./ask-upgrade.ts');
  const { findRuns } = await import('./run-file.ts');
  const run = (await findRuns(directory)).find((one) => one.topology === topology.name);
  // On a log that all can reach this process is one more worker.
  if (run && !run.control && !context.env.NATS_URL && (await answers(run.url))) {
    throw refusal(cliErrors.make('MACH1627', { topology: topology.name, processId: run.processId }));
  }
  const running = await findRunning(directory, topology.name);
  if (!running) return false;
  await refuseOtherLog(running.run, directory, context.env.NATS_URL);
  // Of one version several may share the work, where the log is one for all.
  if (running.manifest.hash === topology.hash && context.env.NATS_URL) return false;
  const { processId } = running.run;
  const { partitions } = running.manifest;
  if (settings.partitions !== undefined && settings.partitions !== partitions) {
    const given = settings.partitions;
    throw refusal(cliErrors.make('MACH1628', { topology: topology.name, processId, partitions, given }));
  }
  const options = args.given.filter((option) => !givenToRunning.has(option) && option !== '--partitions');
  if (options.length > 0) {
    throw refusal(cliErrors.make('MACH1629', { topology: topology.name, processId, options: options.join(', ') }));
  }
  const { refuseUnknownNodes } = await import('./accept-loss.ts');
  refuseUnknownNodes(acceptLoss, topology, [running.manifest]);
  const { describeUpgrade } = await import('./plan-text.ts');
  const done = await askUpgrade(running.run, topology, { env: context.env, acceptLoss });
  if ('refusal' in done) throw new CommandExit(done.isRefused ? exitCodes.found : exitCodes.failed, done.refusal);
  context.print(describeUpgrade(done, processId));
  return true;
}

/** Who names a server means what runs there, and not what runs here on a server of its own. */
async function refuseOtherLog(run: RunFile, directory: string, url: string | undefined): Promise<void> {
  if (!url) return;
  const { findRunningServer } = await import('../bus/index.ts');
  const own = await findRunningServer(serverFolderOf(directory));
  if (own === undefined || own === url) return;
  const { topology, processId } = run;
  throw refusal(cliErrors.make('MACH1629', { topology, processId, options: 'NATS_URL' }));
}

const refusal = ({ code, message }: { code: string; message: string }) =>
  new CommandExit(exitCodes.found, `${code}  ${message}`);

/** Whether it is an engine: a process of another kind may have its number by now. */
function answers(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => true,
    () => false,
  );
}
