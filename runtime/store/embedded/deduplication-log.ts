/** The tokens that a table remembers, as its folder has them: lines of operation, part and block, oldest first. */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';

const filePattern = /^deduplication_log_(\d+)\.txt$/;
const linePattern = /^(1|2)\t([^\t\n]+)\t([^\t\n]+)$/;

export interface RememberedToken {
  /** The part that the insert made, in this partition of the table. */
  readonly part: string;
  readonly block: string;
}

function logFiles(table: string): string[] {
  const folder = join(table, 'deduplication_logs');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // A table that remembers nothing.
    return [];
  }
  const number = (name: string) => Number(filePattern.exec(name)?.[1]);
  return names
    .filter((name) => filePattern.test(name))
    .sort((a, b) => number(a) - number(b))
    .map((name) => join(folder, name));
}

/** The newest file, to which the engine appends; undefined for a table that remembers nothing. */
export function newestLog(table: string): string | undefined {
  return logFiles(table).at(-1);
}

/** What is remembered of the table in a folder, and whether a line cannot be read (a write that the disk took only in part). */
export function readTokens(table: string): { readonly tokens: RememberedToken[]; readonly torn: boolean } {
  const known = new Map<string, RememberedToken>();
  let torn = false;
  for (const file of logFiles(table)) {
    const text = readFileSync(file, 'utf8');
    if (text !== '' && !text.endsWith('\n')) torn = true;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const [, operation, part = '', block = ''] = linePattern.exec(line) ?? [];
      if (operation === undefined) torn = true;
      else if (operation === '1') known.set(block, { part, block });
      else known.delete(block);
    }
  }
  return { tokens: [...known.values()], torn };
}

/**
 * Takes the lines of these parts out, and lines that cannot be read. The engine must not have the table open. Drafts are made in another
 * folder of the same disk: the engine opens no table that has a file of another name beside these, and a full disk may leave one.
 */
export function forgetTokens(table: string, parts: ReadonlySet<string>, drafts: string): void {
  for (const path of logFiles(table)) {
    const text = readFileSync(path, 'utf8');
    const kept = text
      .split('\n')
      .filter((line) => {
        const part = linePattern.exec(line)?.[2];
        return part !== undefined && !parts.has(part);
      })
      .map((line) => `${line}\n`)
      .join('');
    if (kept === text) continue;
    const draft = join(drafts, `${basename(path)}.draft`);
    const file = openSync(draft, 'w', 0o640);
    try {
      writeSync(file, kept);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  }
}
