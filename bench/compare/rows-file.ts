/** The rows that a contender has written: sorted, counted and hashed as the reference of Nexmark says. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface RowsFile {
  readonly count: number;
  readonly sha256: string;
}

export async function hashRows(file: string): Promise<RowsFile> {
  const text = await readFile(file, 'latin1');
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  // Read as Latin-1, so the order of the characters is that of the bytes.
  lines.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`, 'latin1');
  return { count: lines.length, sha256: hash.digest('hex') };
}
