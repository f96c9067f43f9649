/**
 * Which contents were taken, by their SHA-256, across restarts: one JSON line for each step, synced to disk before anything
 * depends on it. `begun` stands before the first row is stored, `done` after the last: what was begun and is not done is taken
 * up first after a restart, while the marks of its origins still say how far it came.
 */
import { access, type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { keepNewest } from '../../runtime/stream/index.ts';
import { fileDropErrors } from './errors.ts';
import { fileDropLimits } from './limits.ts';

export type LedgerState = 'begun' | 'done' | 'failed';

export interface LedgerEntry {
  readonly sha: string;
  readonly name: string;
  readonly state: LedgerState;
  /** ISO 8601. */
  readonly at: string;
  readonly rows?: number;
  readonly dead?: number;
}

export interface Ledger {
  state(sha: string): LedgerState | undefined;
  /** Resolves when the entry is on disk. */
  write(entry: LedgerEntry): Promise<void>;
  /** Writes all that it knows anew where its file was removed: whether it was. */
  restore(): Promise<boolean>;
  close(): Promise<void>;
}

function readEntries(text: string, file: string): { entries: Map<string, LedgerEntry>; lines: number; cut: boolean } {
  const entries = new Map<string, LedgerEntry>();
  const lines = text.split('\n');
  // A line that a crash cut has no line break after it.
  const last = lines.pop() ?? '';
  for (const [index, line] of lines.entries()) {
    try {
      const entry = JSON.parse(line) as LedgerEntry;
      entries.delete(entry.sha);
      entries.set(entry.sha, entry);
    } catch {
      throw fileDropErrors.make('MACH2212', { file, line: index + 1, reason: 'it is not JSON' });
    }
  }
  return { entries, lines: lines.length, cut: last !== '' };
}

async function rewrite(file: string, entries: Iterable<LedgerEntry>): Promise<void> {
  const next = `${file}.next`;
  const handle = await open(next, 'w');
  try {
    for (const entry of entries) await handle.write(`${JSON.stringify(entry)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
}

/** Opens or makes a ledger. Rejects with MACH2212 when it was damaged by other than a crash. */
export async function openLedger(file: string, entriesMax: number = fileDropLimits.ledgerEntriesMax): Promise<Ledger> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const { entries, lines, cut } = readEntries(text, file);
  const forget = keepNewest(entries, entriesMax);
  forget();
  if (cut || lines > 2 * entries.size + 100) await rewrite(file, entries.values());
  let handle: FileHandle = await open(file, 'a');
  let written = lines;

  async function writeAnew(): Promise<void> {
    await rewrite(file, entries.values());
    await handle.close();
    handle = await open(file, 'a');
    written = entries.size;
  }

  /** What is written to a file that was removed, or moved away with its folder, no start would find. */
  async function restore(): Promise<boolean> {
    const missing = await access(file).then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    );
    if (missing) await writeAnew();
    return missing;
  }

  return {
    state: (sha) => entries.get(sha)?.state,
    restore,
    async write(entry) {
      await restore();
      await handle.write(`${JSON.stringify(entry)}\n`);
      await handle.datasync();
      entries.delete(entry.sha);
      entries.set(entry.sha, entry);
      forget();
      if (++written > 4 * entriesMax) await writeAnew();
    },
    close: () => handle.close(),
  };
}
