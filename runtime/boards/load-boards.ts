/** The boards of a folder: read when asked for, and again when a file has changed. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { type Board, boardSchema } from './board.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';

export interface LoadedBoard {
  /** Relative to the folder. */
  readonly file: string;
  readonly board: Board;
}

export interface Boards {
  readonly boards: readonly LoadedBoard[];
  /** Files that look like boards and cannot be shown. */
  readonly problems: readonly string[];
}

interface Kept {
  readonly changed: number;
  readonly result: LoadedBoard | string | undefined;
}

/** Reads `*.json` below the folder; files without `panels` are passed over. */
export function boardFolder(folder: string): {
  read(): Promise<Boards>;
  /** Text of `NAME.geojson` somewhere below the folder; undefined where there is none. */
  readMap(name: string): Promise<string | undefined>;
} {
  const kept = new Map<string, Kept>();

  async function readOne(file: string): Promise<LoadedBoard | string | undefined> {
    const path = join(folder, file);
    const { mtimeMs, size } = await stat(path);
    const known = kept.get(file);
    if (known?.changed === mtimeMs) return known.result;
    const result = size > boardLimits.boardBytesMax ? tooLarge(file, size) : parse(file, await readFile(path, 'utf8'));
    kept.set(file, { changed: mtimeMs, result });
    return result;
  }

  return {
    async readMap(name) {
      const names = await readdir(folder, { recursive: true });
      const file = names.find((one) => basename(one) === name);
      return file === undefined ? undefined : readFile(join(folder, file), 'utf8');
    },
    async read() {
      const names = (await readdir(folder, { recursive: true }))
        .filter((name) => name.endsWith('.json') && !name.includes('node_modules'))
        .sort()
        .slice(0, boardLimits.boardsMax);
      const results = await Promise.all(names.map(readOne));
      const boards = results.filter((one) => typeof one === 'object');
      const problems = results.filter((one) => typeof one === 'string');
      const seen = new Map<string, string>();
      for (const { board, file } of boards) {
        const other = seen.get(board.uid);
        if (other) problems.push(problem(file, `its uid "${board.uid}" is that of ${other} as well`));
        seen.set(board.uid, file);
      }
      return { boards, problems };
    },
  };
}

function parse(file: string, text: string): LoadedBoard | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return problem(file, messageOf(error));
  }
  if (typeof value !== 'object' || value === null || !('panels' in value)) return undefined;
  const { success, data, error } = boardSchema.safeParse(value);
  return success ? { file, board: data } : problem(file, z.prettifyError(error).replace(/\s+/g, ' '));
}

function problem(file: string, reason: string): string {
  const { code, message } = boardErrors.make('MACH3301', { file, reason });
  return `${code}  ${message}`;
}

function tooLarge(file: string, bytes: number): string {
  return problem(file, `it has ${bytes} bytes, more than ${boardLimits.boardBytesMax} (boardBytesMax)`);
}
