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

/** A topology that runs on the data folder, or ran. */
export type Ran = Pick<RunFile, 'topology' | 'file'>;

const folderOf = (directory: string) => join(directory, 'running');
/** Beside it, and kept when a run has ended: for commands that look into the log that it has left. */
const ranFolderOf = (directory: string) => join(directory, 'ran');

export async function writeRunFile(directory: string, run: RunFile): Promise<() => Promise<void>> {
  const folder = folderOf(directory);
  await makeFolder(folder);
  const file = join(folder, `${run.topology}.json`);
  await writeFile(file, JSON.stringify(run), { mode: 0o600 });
  const ran: Ran = { topology: run.topology, ...(run.file !== undefined && { file: run.file }) };
  await makeFolder(ranFolderOf(directory));
  await writeFile(join(ranFolderOf(directory), `${run.topology}.json`), JSON.stringify(ran), { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** Those whose process is alive. */
export async function findRuns(directory: string): Promise<RunFile[]> {
  const runs = (await readAll(folderOf(directory))) as RunFile[];
  return runs.filter(({ processId }) => isAlive(processId));
}

/** All that have ever run there. */
export async function findRan(directory: string): Promise<Ran[]> {
  return (await readAll(ranFolderOf(directory))) as Ran[];
}

async function readAll(folder: string): Promise<unknown[]> {
  const names = await readdir(folder).catch(() => []);
  const found: unknown[] = [];
  for (const name of names.filter((one) => one.endsWith('.json')))
    found.push(JSON.parse(await readFile(join(folder, name), 'utf8')));
  return found;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
