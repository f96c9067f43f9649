/**
 * Makes folders with those above them. `mkdir` of Node with `recursive` never comes back from where a folder above is there and yet none can be made in it,
 * as in `/proc` (it makes the folder above, is told that it is there, and begins anew).
 */
import { mkdirSync, type Stats, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

interface FolderOptions {
  /** Of each folder that is made. */
  readonly mode?: number;
  /** None above it is made: one that is away, as a share that is not mounted, is not to be replaced. */
  readonly alone?: boolean;
}

/** Of a name that is taken the system says neither by what, nor, where it stands further up, which it is. */
function explained(error: NodeJS.ErrnoException, folder: string): NodeJS.ErrnoException {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') return error;
  const taken = firstThere(folder);
  if (!taken || taken.stats.isDirectory()) return error;
  const { code, syscall } = error;
  const message = `${code}: a file is in the place of the folder ${taken.path}`;
  return Object.assign(new Error(message, { cause: error }), { code, syscall, path: taken.path });
}

/** The lowest of a path and those above it that is there. */
function firstThere(path: string): { readonly path: string; readonly stats: Stats } | undefined {
  try {
    return { path, stats: statSync(path) };
  } catch {
    const above = dirname(path);
    return above === path ? undefined : firstThere(above);
  }
}

/** Resolves with the first folder that was made, undefined where all were there; rejects with what the system says. */
export async function makeFolder(folder: string, options: FolderOptions = {}): Promise<string | undefined> {
  const refused = await mkdir(folder, options).catch((error: NodeJS.ErrnoException) => error);
  if (refused === undefined) return folder;
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return undefined;
  const above = dirname(folder);
  if (refused.code !== 'ENOENT' || above === folder || options.alone) throw explained(refused, folder);
  const first = await makeFolder(above, options);
  const again = await mkdir(folder, options).catch((error: NodeJS.ErrnoException) => error);
  // Somebody else may have made it meanwhile.
  if (again !== undefined && !(await stat(folder).catch(() => undefined))?.isDirectory())
    throw explained(again, folder);
  return first ?? (again === undefined ? folder : undefined);
}

/** The same at once. */
export function makeFolderSync(folder: string, options: FolderOptions = {}): void {
  const isThere = () => {
    const there = firstThere(folder);
    return there?.path === folder && there.stats.isDirectory();
  };
  try {
    mkdirSync(folder, options);
  } catch (error) {
    if (isThere()) return;
    const above = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === folder || options.alone)
      throw explained(error as NodeJS.ErrnoException, folder);
    makeFolderSync(above, options);
    try {
      mkdirSync(folder, options);
    } catch (again) {
      if (!isThere()) throw explained(again as NodeJS.ErrnoException, folder);
    }
  }
}
