/** Which files of a folder are topologies, and which are their tests. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const testFileEnding = /\.test\.ya?ml$/;
const snapshotEnding = /\.test\.snapshot\.ya?ml$/;

export const isTestOrSnapshot = (file: string) => testFileEnding.test(file) || snapshotEnding.test(file);
/** By its name. */
export const isTopologyFile = (file: string) => /\.ya?ml$/.test(file) && !isTestOrSnapshot(file);

/** Schemas and settings of other programs lie beside topologies: those have nodes. What cannot be read is to be complained of. */
export function hasNodes(file: string): boolean {
  try {
    return /^(?:sources|operators|sinks)\s*:/m.test(readFileSync(file, 'utf8'));
  } catch {
    return true;
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** In a folder and its folders, sorted; not in those that begin with a dot, nor among installed packages. */
export function filesIn(folder: string, isWanted: (file: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isWanted(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).split(sep).some(isPassedOver))
    .sort();
}

const isPassedOver = (part: string) => part === 'node_modules' || part.startsWith('.');
