/** What a running engine leaves for `mach top` and `mach tap` to find it by: one small file for each topology. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
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
  // Without it a command asks for the file: no reason to end the engine.
  await keepRan(directory, run).catch(() => undefined);
  return () => rm(file, { force: true });
}

/** The topology that runs there goes on with the version of another file. */
export async function changeRunFile(directory: string, { topology, file }: Required<Ran>): Promise<void> {
  const path = join(folderOf(directory), `${topology}.json`);
  const run = parsed(await readFile(path, 'utf8')) as RunFile | undefined;
  if (!run) return;
  // Whole or not at all: a command may be reading it.
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, JSON.stringify({ ...run, file }), { mode: 0o600 });
  await rename(draft, path);
  await keepRan(directory, { ...run, file });
}

async function keepRan(directory: string, { topology, file }: RunFile): Promise<void> {
  const folder = ranFolderOf(directory);
  await makeFolder(folder);
  const ran: Ran = { topology, ...(file !== undefined && { file }) };
  await writeFile(join(folder, `${topology}.json`), JSON.stringify(ran), { mode: 0o600 });
}

/** Those whose process is alive. */
export async function findRuns(directory: string): Promise<RunFile[]> {
  const runs = (await readAll(folderOf(directory))) as (RunFile | null | undefined)[];
  return runs.filter((run): run is RunFile => typeof run?.processId === 'number' && isAlive(run.processId));
}

const ranFile = z.object({ topology: z.string(), file: z.string().optional() });

/** All that have ever run there. */
export async function findRan(directory: string): Promise<Ran[]> {
  const found = await readAll(ranFolderOf(directory));
  return found.flatMap((one) => {
    const { data } = ranFile.safeParse(one);
    return data ? [{ topology: data.topology, ...(data.file !== undefined && { file: data.file }) }] : [];
  });
}

/** Of a folder of JSON; what cannot be read, as after a crash, is passed over. */
async function readAll(folder: string): Promise<unknown[]> {
  const names = await readdir(folder).catch(() => []);
  const found: unknown[] = [];
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    found.push(parsed(text));
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
