/** What a running engine leaves for `mach top` and `mach tap` to find it by: one small file for each topology. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../make-folder.ts';

export interface RunFile {
  readonly topology: string;
  /** Its topology file, absolute; absent where it was not started from one. */
  readonly file?: string;
  readonly url: string;
  readonly processId: number;
  /** Where another version of the topology may be given to it. */
  readonly control?: Control;
}

export interface Control {
  /** On loopback. */
  readonly url: string;
  readonly token: string;
}

const folderOf = (directory: string) => join(directory, 'running');

export async function writeRunFile(directory: string, run: RunFile): Promise<() => Promise<void>> {
  const folder = folderOf(directory);
  await makeFolder(folder);
  const file = join(folder, `${run.topology}.json`);
  await writeFile(file, JSON.stringify(run), { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** Those whose process is alive. */
export async function findRuns(directory: string): Promise<RunFile[]> {
  const names = await readdir(folderOf(directory)).catch(() => []);
  const runs: RunFile[] = [];
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const run = JSON.parse(await readFile(join(folderOf(directory), name), 'utf8')) as RunFile;
    if (isAlive(run.processId)) runs.push(run);
  }
  return runs;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
