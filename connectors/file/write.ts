/** A file that is there whole or not at all. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../runtime/stream/index.ts';
import { fileErrors } from './errors.ts';

/** Written beside its place, synced, and then moved there: once that has been said, a power cut does not undo it. */
export async function writeWhole(folder: string, name: string, content: Uint8Array): Promise<void> {
  const path = join(folder, name);
  const draft = join(folder, `.${name}.draft`);
  try {
    const made = await mkdir(folder, { recursive: true });
    const file = await open(draft, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolders(folder, made);
  } catch (error) {
    throw fileErrors.make('MACH2701', { path, reason: messageOf(error) }, error);
  }
}

/** The entry of the file in its folder, and those of the folders that are new. `made`: the uppermost of them. */
async function syncFolders(folder: string, made: string | undefined): Promise<void> {
  for (let at = folder; ; at = dirname(at)) {
    await syncFolder(at);
    if (made === undefined || at === dirname(made) || at === dirname(at)) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
