/** Folders of tables and what lies in them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readTokens } from './deduplication-log.ts';
import { partProblem } from './part-check.ts';
import { covers, type PartName, parsePartName } from './part-name.ts';

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Gone since it was listed, or never there.
    return [];
  }
}

/** Folders of all tables that keep parts, under the engine's data folder. */
export function tableFolders(data: string): string[] {
  const store = join(data, 'store');
  return names(store)
    .flatMap((group) => names(join(store, group)).map((table) => join(store, group, table)))
    .filter((table) => statSync(join(table, 'format_version.txt'), { throwIfNoEntry: false }));
}

export function partsIn(table: string): PartName[] {
  return names(table).flatMap((name) => parsePartName(name) ?? []);
}

/** Folders of parts that were detached, or put there to be attached. */
export function detachedParts(table: string): string[] {
  return names(join(table, 'detached')).map((name) => join(table, 'detached', name));
}

export interface BrokenPart {
  readonly part: PartName;
  readonly problem: string;
}

export interface TableFaults {
  readonly table: string;
  readonly broken: readonly BrokenPart[];
  /** Tokens are remembered of parts whose rows are not there: written down just before a crash, or of a part that is broken. */
  readonly orphans: readonly PartName[];
  readonly torn: boolean;
}

/** What is wrong with a table. Reads only, so it may be asked before the folder is held. */
export function tableFaults(table: string): TableFaults {
  const broken: BrokenPart[] = [];
  const sound: PartName[] = [];
  for (const part of partsIn(table)) {
    const problem = partProblem(join(table, part.name));
    if (problem === null) sound.push(part);
    else broken.push({ part, problem });
  }
  const { tokens, torn } = readTokens(table);
  const present = new Set(sound.map(({ name }) => name));
  // Only what is wide can cover what is not there: inserted parts cover themselves alone.
  const wide = sound.filter(({ level, mutation }) => level > 0 || mutation > 0);
  const orphans = tokens.flatMap(({ part }) => {
    const name = parsePartName(part);
    if (!name || present.has(part) || wide.some((one) => covers(one, name))) return [];
    return [name];
  });
  return { table, broken, orphans, torn };
}

/** Blocks of a broken part that no sound part in its folder has. */
export function missingBlocks(part: PartName, sound: readonly PartName[]): number {
  const pieces = sound.filter((one) => covers(part, one)).sort((a, b) => a.blockMin - b.blockMin);
  let missing = 0;
  let next = part.blockMin;
  for (const { blockMin, blockMax } of pieces) {
    missing += Math.max(0, blockMin - next);
    next = Math.max(next, blockMax + 1);
  }
  return missing + Math.max(0, part.blockMax + 1 - next);
}
