/** The topology and the log that `mach why` looks into, whether an engine runs or not. */
import type { Log } from '../../bus/log.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { type TopologyNames, topologyNames } from '../../topology/names.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { type ReachedLog, reachLog } from '../reach-log.ts';
import { findRan, findRuns, type Ran } from '../run-file.ts';

export interface PlaceFlags {
  readonly data: string;
  readonly topology?: string;
}

export interface LookedInto {
  readonly topology: BoundTopology;
  readonly names: TopologyNames;
  readonly log: Log;
}

/** The file given, or that of the engine that runs on the data folder, or of the only topology that ever ran there. Throws MACH1660. */
export async function topologyOf(flags: PlaceFlags, context: CommandContext): Promise<BoundTopology> {
  if (flags.topology !== undefined) return context.loadTopology(flags.topology);
  const running = await findRuns(flags.data);
  const runs: readonly Ran[] = running.length > 0 ? running : await findRan(flags.data);
  const files = [...new Set(runs.flatMap(({ file }) => (file === undefined ? [] : [file])))];
  const [file] = files;
  if (file !== undefined && files.length === 1) {
    if (running.length === 0) context.printError(`no engine runs here; ${file} ran here, and is taken`);
    const topology = await context.loadTopology(file);
    // A demo on a server of someone else's runs under a name of its own.
    const [run, ...others] = runs.filter((one) => one.file === file);
    return run && others.length === 0 ? { ...topology, name: run.topology } : topology;
  }
  const none = running.length === 0;
  const names = files.join(', ');
  const found =
    files.length === 0 ? 'no engine runs here' : none ? `none runs here, ${names} did` : `${names} run here`;
  throw cliErrors.make('MACH1660', { found, directory: flags.data });
}

/** Leaves everything as it was afterwards. */
export async function withLog<T>(
  flags: PlaceFlags,
  context: CommandContext,
  work: (looked: LookedInto) => Promise<T>,
): Promise<T> {
  const topology = await topologyOf(flags, context);
  const reached: ReachedLog = await reachLog({ directory: flags.data, env: context.env });
  try {
    return await work({ topology, names: topologyNames(topology.name), log: reached.log });
  } finally {
    await reached.close();
  }
}
