/** The folder of the demo: emptied at the start, so it must be the demo's own, and nobody's at the moment. */
import { readdir, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { endLeftServer } from '../../runtime/bus/server.ts';
import { serverFolderOf } from '../../runtime/bus/server-folder.ts';
import { lockFolder, lockName } from '../../runtime/bus/server-lock.ts';
import { cliErrors } from '../../runtime/cli/errors.ts';
import { MachError, messageOf } from '../../runtime/errors.ts';
import { makeFolder } from '../../runtime/make-folder.ts';
import { simulatorErrors } from '../errors.ts';
import { demoFolder } from './command.ts';

/**
 * Empties the folder and takes it until this process ends; its lock stays, and tells the next demo that the folder is a demo's. Rejects with MACH1707 where it
 * holds something else, with MACH3011 while a demo runs in it, with MACH1606 where nothing can be written.
 */
export async function takeDemoFolder(directory: string): Promise<void> {
  await take(directory).catch((error: unknown) => {
    if (error instanceof MachError) throw error;
    throw cliErrors.make('MACH1606', { file: directory, reason: messageOf(error) }, error);
  });
}

async function take(directory: string): Promise<void> {
  await makeFolder(directory);
  const before = await readdir(directory);
  const [first] = before;
  const isDemos = before.includes(lockName) || (await isDefault(directory));
  if (first !== undefined && !isDemos) throw simulatorErrors.make('MACH1707', { directory, entry: first });
  // It names no server: that of a demo that was killed stands in the lock of its own folder.
  await lockFolder(directory, async () => undefined);
  const serverFolder = serverFolderOf(directory);
  if (before.includes(basename(serverFolder))) await endLeftServer(serverFolder);
  const others = (await readdir(directory)).filter((entry) => entry !== lockName);
  await Promise.all(others.map((entry) => rm(join(directory, entry), { recursive: true, force: true })));
}

/** Itself, and no link to another. */
async function isDefault(directory: string): Promise<boolean> {
  return (await realpath(directory)) === join(await realpath('.'), demoFolder);
}
