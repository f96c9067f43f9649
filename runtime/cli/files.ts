/** Files of the command line, with coded errors. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../errors.ts';
import { cliErrors } from './errors.ts';

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EEXIST') return 'it exists already';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not';
  if (code === 'EISDIR') return 'it is a folder';
  return messageOf(error);
}

export function readBinaryFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw cliErrors.make('MACH1605', { file, reason: reasonOf(error) }, error);
  }
}

export function writeTextFile(file: string, text: string, { replace }: { replace: boolean }): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: replace ? 'w' : 'wx' });
  } catch (error) {
    throw cliErrors.make('MACH1606', { file, reason: reasonOf(error) }, error);
  }
}
