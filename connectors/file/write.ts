/** Files that are there whole or not at all. */
import { type FileHandle, open, opendir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, messageOf } from '../../runtime/stream/index.ts';
import { fileErrors } from './errors.ts';
import { fileLimits } from './limits.ts';

export interface FileWriter {
  /**
   * Written beside its place, synced, and then moved there: once this has resolved, a power cut does not undo it. Where it rejects, nothing is
   * left of it.
   */
  write(folder: string, name: string, content: Uint8Array): Promise<void>;
}

/**
 * `root`: of all the folders; it need not be there yet. `id`: of this writer. Another one that was taken for dead may still be at the same file,
 * and no two may write to one draft.
 */
export function fileWriter(root: string, id: string): FileWriter {
  /** Folders that this process has made sure of. */
  const known = new Set<string>();

  async function makeSure(folder: string, name: string): Promise<void> {
    if (known.has(folder)) return;
    const made = await makeFolder(folder);
    // Also those that are there already: who made them may have died before they were synced.
    const lowest = made === undefined || made.length > root.length ? root : dirname(made);
    for (let at = folder; at !== lowest; ) {
      at = dirname(at);
      await syncFolder(at);
    }
    // What a crash has left is of the batch that comes again first.
    if (made === undefined) await removeDrafts(folder, name);
    if (known.size >= fileLimits.namesKnownMax) known.clear();
    known.add(folder);
  }

  return {
    async write(folder, name, content) {
      const path = join(folder, name);
      const draft = join(folder, `${draftStart(name)}${id}${draftEnd}`);
      try {
        await makeSure(folder, name);
        await writeThrough({ folder, draft, path }, content);
      } catch (error) {
        // It may have been removed, and is made again then.
        known.delete(folder);
        // What was written of it would only fill the disk further.
        await rm(draft, { force: true }).catch(() => undefined);
        throw fileErrors.make('MACH2701', { path, reason: messageOf(error) }, error);
      }
    },
  };
}

const draftStart = (name: string) => `.${name}.`;
const draftEnd = '.draft';

/** Those of one file, whoever wrote them. */
async function removeDrafts(folder: string, name: string): Promise<void> {
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith(draftStart(name)) && entry.name.endsWith(draftEnd))
      await rm(join(folder, entry.name), { force: true });
  }
}

interface Place {
  readonly folder: string;
  readonly draft: string;
  readonly path: string;
}

/** As few steps one after the other as there can be: each waits for its turn in a process that has other work. */
async function writeThrough({ folder, draft, path }: Place, content: Uint8Array): Promise<void> {
  const [place, file] = await openBoth(folder, draft);
  try {
    try {
      for (let at = 0; at < content.length; ) at += (await file.write(content, at)).bytesWritten;
      await file.sync();
    } catch (error) {
      await file.close();
      throw error;
    }
    // What is synced stands, whatever becomes of the descriptor.
    await Promise.all([file.close(), rename(draft, path)]);
    await place.sync();
  } finally {
    await place.close();
  }
}

async function openBoth(folder: string, draft: string): Promise<readonly [FileHandle, FileHandle]> {
  const opened = await Promise.allSettled([open(folder, 'r'), open(draft, 'w')]);
  const [place, file] = opened;
  if (place.status === 'fulfilled' && file.status === 'fulfilled') return [place.value, file.value];
  for (const one of opened) if (one.status === 'fulfilled') await one.value.close();
  throw opened.find((one) => one.status === 'rejected')?.reason;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
