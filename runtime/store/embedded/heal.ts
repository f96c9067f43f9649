/**
 * Puts right, at the start of the engine, what a crash or a full disk has left: parts whose files are not whole are set aside, so that the
 * parts they were merged from count again, and the tokens of inserts whose rows are not there are forgotten, so that those inserts are
 * taken when they come again.
 *
 * Three steps, because the engine alone knows whether the folder is ours: `findFaults` before it opens and may merge over a gap, the
 * opening, then `healTables` with the tables at fault detached one by one.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { quoteName } from '../sql.ts';
import { forgetTokens } from './deduplication-log.ts';
import { partProblem } from './part-check.ts';
import { covers, type PartName } from './part-name.ts';
import { missingBlocks, partsIn, type TableFaults, tableFaults, tableFolders } from './table-folder.ts';

export interface Healed {
  readonly table: string;
  /** Parts that were not whole. Their rows are in the parts that they were made from, or come again; else they are kept in `detached`. */
  readonly setAside: readonly { readonly part: string; readonly problem: string }[];
  /** Inserts that will be taken again. */
  readonly tokensForgotten: number;
  /** Blocks (inserts) that a part set aside had and no other part has: 0, unless files were damaged from outside. */
  readonly blocksMissing: number;
}

/** Runs one statement on the engine; rows as arrays. */
export type RunStatement = (sql: string) => Promise<readonly (readonly string[])[]>;

export function findFaults(data: string): TableFaults[] {
  return tableFolders(data)
    .map(tableFaults)
    .filter(({ broken, orphans, torn }) => broken.length > 0 || orphans.length > 0 || torn);
}

/** Whether the insert that made the part has come to its end since the fault was found: another process held the folder then. */
function isThere(table: string, part: PartName): boolean {
  return existsSync(join(table, part.name)) && partProblem(join(table, part.name)) === null;
}

function healFolder({ table, broken, orphans }: TableFaults, name: string, drafts: string): Healed {
  const bad = broken.filter(({ part }) => !isThere(table, part));
  const names = new Set(bad.map(({ part }) => part.name));
  const sound = partsIn(table).filter((part) => !names.has(part.name));
  let blocksMissing = 0;
  for (const { part } of bad) {
    const missing = part.level > 0 && !sound.some((one) => covers(one, part)) ? missingBlocks(part, sound) : 0;
    blocksMissing += missing;
    setAside(table, part, part.level > 0 && missing === 0);
  }
  const forgotten = new Set(orphans.filter((part) => !isThere(table, part)).map((part) => part.name));
  forgetTokens(table, forgotten, drafts);
  return {
    table: name,
    setAside: bad.map(({ part, problem }) => ({ part: part.name, problem })),
    tokensForgotten: forgotten.size,
    blocksMissing,
  };
}

/** The engine has set most of them aside already. What nobody needs would only fill the disk. */
function setAside(table: string, part: PartName, isUseless: boolean): void {
  const detached = join(table, 'detached');
  mkdirSync(detached, { recursive: true });
  const place = join(table, part.name);
  const aside = [place, join(detached, `broken-on-start_${part.name}`)];
  if (isUseless) for (const path of aside) rmSync(path, { recursive: true, force: true });
  else if (existsSync(place)) renameSync(place, join(detached, `broken_${part.name}`));
}

/** Heals what `findFaults` found. The engine is open, so the folder is ours, and nobody else uses it yet. `drafts`: a folder for files half made. */
export async function healTables(args: {
  readonly faults: readonly TableFaults[];
  readonly drafts: string;
  readonly run: RunStatement;
}): Promise<Healed[]> {
  const { faults, drafts, run } = args;
  if (faults.length === 0) return [];
  const rows = await run('SELECT database, name, data_paths[1] FROM system.tables WHERE notEmpty(data_paths)');
  const names = new Map(rows.map(([database = '', name = '', path = '']) => [resolve(path), { database, name }]));
  const healed: Healed[] = [];
  for (const fault of faults) {
    const known = names.get(resolve(fault.table));
    // The folder of a table that was dropped.
    if (!known) continue;
    const quoted = `${quoteName(known.database)}.${quoteName(known.name)}`;
    await run(`DETACH TABLE ${quoted} SYNC`);
    try {
      healed.push(healFolder(fault, `${known.database}.${known.name}`, drafts));
    } finally {
      await run(`ATTACH TABLE ${quoted}`);
    }
  }
  return healed;
}
