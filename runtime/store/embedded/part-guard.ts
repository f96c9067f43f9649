/**
 * Sees to it that nothing is answered for that is not whole on the disk. The engine does not notice a write that the disk refuses (see
 * `part-check.ts`), so new parts are looked at: those of an insert before it is answered, those of merges while the parts that they
 * replace are still kept. When one is not whole the process ends at once, without a word to the client: the next start sets it aside
 * (`heal.ts`), and the insert comes again.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { embeddedLimits } from '../limits.ts';
import { newestLog } from './deduplication-log.ts';
import { partProblem } from './part-check.ts';
import { covers, type PartName, parsePartName } from './part-name.ts';
import { detachedParts, partsIn, tableFolders } from './table-folder.ts';

export interface PartGuardOptions {
  /** The engine's data folder. Parts that lie in it now count as whole. */
  readonly data: string;
  /** Must end the process; nothing may be answered after it. */
  onBroken(found: { readonly table: string; readonly part: string; readonly problem: string }): never;
}

export interface PartGuard {
  /** After an insert: its parts are whole and its token is on the disk, or the process has ended. */
  afterInsert(): Promise<void>;
  /** After an insert that failed: its token may have been written down though its rows are not there. */
  afterFailure(): Promise<void>;
  /** Before a statement that may put parts into a table that no insert has made. */
  beforeAttach(): void;
  /** Looks at what merges have made. */
  look(): void;
}

interface Watched {
  /** Parts that are whole. */
  known: Set<string>;
  changedMs: number;
  /** The log of tokens that is appended to, and how far it has been read. */
  log: string | undefined;
  logBytes: number;
  /** Parts whose tokens have been read, and not yet looked for. */
  tokens: Set<string>;
}

/** Modification times may stand still this long though the folder changes. */
const clockGrainMs = 50;

export function createPartGuard({ data, onBroken }: PartGuardOptions): PartGuard {
  const watched = new Map<string, Watched>();
  /** Folders of detached parts, by their inodes, which they keep when they are attached. */
  const detached = new Set<string>();

  function beforeAttach(): void {
    if (detached.size > embeddedLimits.knownPartsMax) detached.clear();
    for (const table of tableFolders(data)) {
      for (const part of detachedParts(table)) {
        const inode = inodeOf(part);
        if (inode !== undefined) detached.add(inode);
      }
    }
  }

  /** A person has put it there: it was detached before, or is a part of another table, whose files it shares. No insert makes either. */
  function isAttached(part: string): boolean {
    const inode = inodeOf(part);
    if (inode !== undefined && detached.has(inode)) return true;
    return (statSync(join(part, 'checksums.txt'), { throwIfNoEntry: false })?.nlink ?? 1) > 1;
  }

  function watch(table: string, isNew: boolean): Watched {
    const log = isNew ? undefined : newestLog(table);
    const one: Watched = {
      known: new Set(isNew ? [] : partsIn(table).map(({ name }) => name)),
      changedMs: 0,
      log,
      logBytes: log === undefined ? 0 : (statSync(log, { throwIfNoEntry: false })?.size ?? 0),
      tokens: new Set(),
    };
    watched.set(table, one);
    return one;
  }
  for (const table of tableFolders(data)) watch(table, false);

  /** Reads on in the log of tokens. A file that has come after the one that was read begins where that one ended. */
  function readTokens(table: string, one: Watched): void {
    const newest = newestLog(table);
    if (newest === undefined) return;
    if (one.log !== undefined && one.log !== newest) readFrom(one, one.log);
    if (one.log !== newest) {
      one.log = newest;
      one.logBytes = 0;
    }
    readFrom(one, newest);
  }

  function readFrom(one: Watched, path: string): void {
    const bytes = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) - one.logBytes;
    if (bytes <= 0) return;
    const buffer = Buffer.alloc(bytes);
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      // Its table has been dropped.
      return;
    }
    try {
      readSync(file, buffer, 0, bytes, one.logBytes);
    } finally {
      closeSync(file);
    }
    const text = buffer.toString('latin1');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    one.logBytes += Buffer.byteLength(whole, 'latin1');
    for (const line of whole.split('\n')) {
      const [operation, part] = line.split('\t');
      if (part === undefined) continue;
      if (operation === '1') one.tokens.add(part);
      else one.tokens.delete(part);
    }
  }

  function lookAtPart(table: string, one: Watched, part: PartName): void {
    const problem = partProblem(join(table, part.name));
    if (problem !== null) onBroken({ table: basename(table), part: part.name, problem });
    const isInsert = part.level === 0 && part.mutation === 0 && one.log !== undefined;
    if (isInsert && !one.tokens.delete(part.name) && !isAttached(join(table, part.name))) {
      // Without its token the insert would be taken twice. It has not been answered, so its rows may go.
      renameSync(join(table, part.name), join(table, `tmp_without_token_${part.name}`));
      onBroken({ table: basename(table), part: part.name, problem: 'its token is not on the disk' });
    }
    one.known.add(part.name);
  }

  function look(): void {
    for (const table of tableFolders(data)) {
      const one = watched.get(table) ?? watch(table, true);
      const changedMs = statSync(table, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (changedMs === one.changedMs) continue;
      one.changedMs = Date.now() - changedMs < clockGrainMs ? 0 : changedMs;
      const parts = partsIn(table).filter(({ name }) => !one.known.has(name));
      // Tokens after the parts: the engine writes the token first.
      readTokens(table, one);
      for (const part of parts) lookAtPart(table, one, part);
      if (one.known.size > embeddedLimits.knownPartsMax) {
        one.known = new Set(partsIn(table).flatMap(({ name }) => (one.known.has(name) ? [name] : [])));
      }
    }
  }

  /** A token that outlives a power cut: its insert may be the one that comes again. */
  async function syncTokens(before: ReadonlyMap<string, number>): Promise<void> {
    for (const [table, { log, logBytes }] of watched) {
      if (log === undefined || before.get(table) === logBytes) continue;
      const file = await open(log, 'r+').catch(() => undefined);
      await file?.datasync();
      await file?.close();
    }
  }

  /** Parts whose tokens are on the disk and whose rows are not. */
  function orphans(): { readonly table: string; readonly part: string }[] {
    return [...watched].flatMap(([table, one]) => {
      if (!existsSync(table)) watched.delete(table);
      readTokens(table, one);
      const waiting = [...one.tokens].filter((part) => !existsSync(join(table, part)));
      if (waiting.length === 0) return [];
      const parts = partsIn(table);
      return waiting.flatMap((part) => {
        const name = parsePartName(part);
        if (name && !parts.some((other) => covers(other, name))) return [{ table, part }];
        // Merged or dropped since.
        one.tokens.delete(part);
        return [];
      });
    });
  }

  /**
   * Until the rows of every token are there. A token without rows is an insert that has failed in its last step, or one that is still
   * under way: who comes again with that token must not be told that it is stored before it is.
   */
  async function awaitRows(): Promise<void> {
    const until = performance.now() + embeddedLimits.orphanWaitMs;
    const first = orphans();
    const isFirst = ({ table, part }: { table: string; part: string }) =>
      first.some((one) => one.table === table && one.part === part);
    for (let left = first; left.length > 0; left = orphans().filter(isFirst)) {
      const [{ table, part } = { table: '', part: '' }] = left;
      if (performance.now() > until)
        onBroken({ table: basename(table), part, problem: 'it is not there, its token is' });
      await delay(embeddedLimits.orphanLookMs);
    }
  }

  return {
    look,
    beforeAttach,
    async afterInsert() {
      const before = new Map([...watched].map(([table, { logBytes }]) => [table, logBytes]));
      await awaitRows();
      look();
      await syncTokens(before);
    },
    afterFailure: awaitRows,
  };
}

function inodeOf(folder: string): string | undefined {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
