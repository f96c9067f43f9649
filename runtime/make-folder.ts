/**
 * Makes folders with those above them. `mkdir` of Node with `recursive` never comes back from where a folder above is there and yet none can be made in it,
 * as in `/proc` (it makes the folder above, is told that it is there, and begins anew).
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

interface FolderOptions {
  /** Of each folder that is made. */
  readonly mode?: number;
}

/** Resolves with the first folder that was made, undefined where all were there; rejects with what the system says. */
export async function makeFolder(folder: string, options: FolderOptions = {}): Promise<string | undefined> {
  const refused = await mkdir(folder, options).catch((error: NodeJS.ErrnoException) => error);
  if (refused === undefined) return folder;
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return undefined;
  const above = dirname(folder);
  if (refused.code !== 'ENOENT' || above === folder) throw refused;
  const first = await makeFolder(above, options);
  const again = await mkdir(folder, options).catch((error: NodeJS.ErrnoException) => error);
  // Somebody else may have made it meanwhile.
  if (again !== undefined && !(await stat(folder).catch(() => undefined))?.isDirectory()) throw again;
  return first ?? (again === undefined ? folder : undefined);
}

/** The same at once. */
export function makeFolderSync(folder: string, options: FolderOptions = {}): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  try {
    mkdirSync(folder, options);
  } catch (error) {
    if (isThere()) return;
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder) throw error;
    makeFolderSync(above, options);
    try {
      mkdirSync(folder, options);
    } catch (again) {
      if (!isThere()) throw again;
    }
  }
}
