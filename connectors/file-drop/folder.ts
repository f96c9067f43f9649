/** The watched folder: what lies in it, what is still being written, and how files leave it. */
import { constants, type Dirent, type Stats } from 'node:fs';
import { access, copyFile, link, lstat, open, readdir, unlink, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { makeFolder, messageOf } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { fileDropLimits } from './limits.ts';

/** Names under which programs write files that are not whole yet, and our own. */
const unfinished = /^\.|^~\$|~$|\.(?:tmp|temp|part|partial|crdownload|filepart|swp)$|\.reason\.txt$/i;

export interface Found {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** `*` and `?` as in a shell, over names without folders. */
export function makeNameMatcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .normalize('NFC')
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  const expression = new RegExp(`^${source}$`, 'isu');
  return (name) => expression.test(name.normalize('NFC'));
}

/**
 * Makes the folders where they are missing, and checks that they can be used: those that were missing. `alone`: none above them is made. Rejects with
 * MACH2201.
 */
export async function prepareFolders(folders: readonly string[], { alone = false } = {}): Promise<string[]> {
  const missing: string[] = [];
  for (const folder of folders) {
    try {
      if ((await makeFolder(folder, { alone })) !== undefined) missing.push(folder);
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      throw fileDropErrors.make('MACH2201', { folder, reason: messageOf(error) }, error);
    }
  }
  return missing;
}

/** Files of the folder that may be taken, oldest first. Links are not followed: they could point anywhere. Rejects with MACH2201. */
export async function listFiles(folder: string, matches: (name: string) => boolean): Promise<Found[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw fileDropErrors.make('MACH2201', { folder, reason: messageOf(error) }, error);
  });
  const wanted = entries.filter((entry) => entry.isFile() && !unfinished.test(entry.name) && matches(entry.name));
  const found: Found[] = [];
  for (const { name } of wanted.slice(0, fileDropLimits.filesPerScanMax)) {
    const path = join(folder, name);
    const stat = await lstat(path).catch(() => null);
    if (stat?.isFile()) found.push({ name, path, bytes: stat.size, modifiedMs: Math.floor(stat.mtimeMs) });
  }
  return found.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
}

/** Remembers how files looked, to tell when one has not changed for a while. */
export class SettleWatch {
  readonly #settleMs: number;
  #seen = new Map<string, { bytes: number; modifiedMs: number; since: number }>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** The files of a look that have not changed for long enough, and whether others still may. */
  settled(files: readonly Found[], now: number): { ready: Found[]; waiting: boolean } {
    const seen = new Map<string, { bytes: number; modifiedMs: number; since: number }>();
    const ready: Found[] = [];
    for (const file of files) {
      const before = this.#seen.get(file.name);
      const same = before && before.bytes === file.bytes && before.modifiedMs === file.modifiedMs;
      const since = same ? before.since : now;
      seen.set(file.name, { bytes: file.bytes, modifiedMs: file.modifiedMs, since });
      if (now - since >= this.#settleMs) ready.push(file);
    }
    this.#seen = seen;
    return { ready, waiting: ready.length < files.length };
  }
}

/** Whether it is still what was found. By size and time: what network folders say of the identity of a file may change. */
const isAsFound = (file: Found, { size, mtimeMs }: Stats) =>
  size === file.bytes && Math.floor(mtimeMs) === file.modifiedMs;

/** The content of a file, unless it is a link or larger than allowed (MACH2203); null when it is another by now, which has to settle first. */
export async function readContent(file: Found, bytesMax: number): Promise<Buffer | null> {
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stat = await handle.stat();
    if (!isAsFound(file, stat)) return null;
    const { size } = stat;
    if (size > bytesMax) throw fileDropErrors.make('MACH2203', { bytes: size, bytes_max: bytesMax });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

const isCode = (error: unknown, ...codes: string[]) => codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** A second name for a file, where none is taken. By a link, which never replaces; by a copy on file systems without links. */
async function placeWithoutReplacing(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EMLINK', 'ENOSYS')) throw error;
  }
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** The start of a name with an ending after it, as long as a name may be. */
function withEnding(name: string, ending: string): string {
  let start = name;
  while (Buffer.byteLength(start + ending) > fileDropLimits.nameBytesMax) start = [...start].slice(0, -1).join('');
  return start + ending;
}

/**
 * Moves a file into a folder under its own name, or `name.2.csv`, `name.3.csv`. Gives the new name; null, and the file stays, when it has been
 * changed or replaced since it was found: what stands there now was not read.
 */
export async function moveFile(file: Found, folder: string): Promise<string | null> {
  const hasChanged = async () => !isAsFound(file, await lstat(file.path));
  const { name, ext } = parse(file.name);
  for (let number = 1; number <= fileDropLimits.namesTriedMax; number++) {
    const target = number === 1 ? file.name : withEnding(name, `.${number}${ext}`);
    if (await hasChanged()) return null;
    if (!(await placeWithoutReplacing(file.path, join(folder, target)))) continue;
    if (await hasChanged()) {
      await unlink(join(folder, target));
      return null;
    }
    await unlink(file.path);
    return target;
  }
  throw new Error(`${fileDropLimits.namesTriedMax} names like ${file.name} are taken in ${folder}`);
}

/** Moves a file to the failed folder, its reason beside it. False, and it stays, when it is another by now. */
export async function moveToFailed(file: Found, folder: string, reason: string): Promise<boolean> {
  const name = await moveFile(file, folder);
  if (name === null) return false;
  await writeFile(
    join(folder, withEnding(name, '.reason.txt')),
    `${reason.slice(0, fileDropLimits.reasonLengthMax)}\n`,
  );
  return true;
}
