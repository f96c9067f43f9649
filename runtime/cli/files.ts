/** Files of the command line, with coded errors. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import { makeFolderSync } from '../make-folder.ts';
import { cliErrors } from './errors.ts';

/** Why the system does not let a file be read or written. */
export function fileReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EEXIST') return 'it exists already';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'ENOTDIR') return 'a file is in the place of a folder';
  return messageOf(error);
}

export function readBinaryFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw cliErrors.make('MACH1605', { file, reason: fileReason(error) }, error);
  }
}

export function writeTextFile(file: string, text: string, { replace }: { replace: boolean }): void {
  const refused = (error: unknown, reason: string) => cliErrors.make('MACH1606', { file, reason }, error);
  try {
    makeFolderSync(dirname(file));
  } catch (error) {
    throw refused(error, folderReason(error));
  }
  try {
    writeFileSync(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    throw refused(
      error,
      statSync(file, { throwIfNoEntry: false })?.isDirectory() ? 'it is a folder' : fileReason(error),
    );
  }
}

/** Why the system does not let a folder be made: what is there already is a file. */
export function folderReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no folder can be made there';
  return code === 'EEXIST' || code === 'ENOTDIR' ? 'a file is in the place of a folder' : fileReason(error);
}
