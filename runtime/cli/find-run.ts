/** The engine that runs on this machine, for commands that look into it. */
import { cliErrors } from './errors.ts';
import { findRuns, type RunFile } from './run-file.ts';

/** Throws MACH1621 when none runs, or several do. */
export async function findRun(directory: string): Promise<RunFile> {
  const runs = await findRuns(directory);
  const [first] = runs;
  if (first && runs.length === 1) return first;
  const found =
    runs.length === 0 ? 'none runs here' : `${runs.map((run) => `${run.topology} at ${run.url}`).join(', ')} run here`;
  throw cliErrors.make('MACH1621', { found, directory });
}
