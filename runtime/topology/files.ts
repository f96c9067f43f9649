/** Which files of a folder are topologies, and which are their tests. */
import { closeSync, type Dirent, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { limits } from '../limits.ts';

export const testFileEnding = /\.test\.ya?ml$/;
const snapshotEnding = /\.test\.snapshot\.ya?ml$/;

export const isTestOrSnapshot = (file: string) => testFileEnding.test(file) || snapshotEnding.test(file);
/** By its name. */
export const isTopologyFile = (file: string) => /\.ya?ml$/.test(file) && !isTestOrSnapshot(file);

/** Schemas and settings of other programs lie beside topologies: those have nodes. What cannot be read is to be complained of. */
export function hasNodes(file: string): boolean {
  try {
    return /^(?:sources|operators|sinks)\s*:/m.test(beginningOf(file));
  } catch {
    return true;
  }
}

/** As much as a topology may have. */
function beginningOf(file: string): string {
  const bytes = Buffer.alloc(limits.topologyFileBytesMax);
  const descriptor = openSync(file, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** In a folder and its folders, sorted; not in those that begin with a dot, nor among installed packages. */
export function filesIn(folder: string, isWanted: (file: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => isWanted(entry.name) && isFileOrLink(entry))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).split(sep).some(isPassedOver))
    .sort();
}

/** A folder that is mounted may have nothing but links. One that leads nowhere is a file that cannot be read. */
function isFileOrLink(entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.isFile() ?? true;
}

const isPassedOver = (part: string) => part === 'node_modules' || part.startsWith('.');
