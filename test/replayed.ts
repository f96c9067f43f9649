/** What commands about the past must say of a topology that has run: its replay is what happened. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const bin = fileURLToPath(new URL('../bin/mach.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  /** Of the last line of the output, or of all of it. */
  readonly json: Record<string, unknown>;
}

/** Runs `mach` to its end. Fails the test when it did not end with 0 or 1. */
export function runMach(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code !== 0 && code !== 1) return reject(new Error(`mach ${args.join(' ')} ended with ${code}:\n${stderr}`));
      const text = stdout.startsWith('{\n') ? stdout : (stdout.trim().split('\n').at(-1) ?? '');
      resolve({ code, stdout, json: JSON.parse(text) as Record<string, unknown> });
    });
  });
}

interface TableDiff {
  readonly live: string;
  readonly live_rows: number;
  readonly equal: number;
  readonly superseded: number;
  readonly rows: readonly { readonly why: { readonly live: string | null; readonly shadow: string | null } }[];
}

export interface Replayer {
  /** `mach ARGS --data ... --json`. */
  mach(...args: string[]): Promise<Ran>;
  /** The live rows, from a sequence on or all of them, come out again, in the same places. Gives the last sequence that was replayed. */
  expectSame(shadow: string, options?: { from?: number }): Promise<number>;
  /** A topology that raises alerts earlier gives other alerts, and nothing else of what it gives changes. */
  expectOtherAlerts(shadow: string): Promise<void>;
}

export function replayer(args: {
  topology: string;
  directory: string;
  data: string;
  env: Readonly<Record<string, string>>;
}): Replayer {
  const { topology, directory, data, env } = args;
  const mach = (...words: string[]) => runMach([...words, '--data', data, '--json'], env);

  async function diff(shadow: string, ...more: string[]) {
    const { code, json } = await mach('diff', topology, shadow, ...more);
    return { code, ...(json as { equal: boolean; tables: readonly TableDiff[] }) };
  }

  return {
    mach,
    async expectSame(shadow, { from } = {}) {
      const range = from === undefined ? [] : ['--from', String(from)];
      const { json } = await mach('replay', topology, '--into', shadow, ...range);
      expect(json).toMatchObject({ phase: 'done', remaining_ms: 0, missing: 0, refused: {} });
      if (from === undefined) expect(json.restored).toBeNull();
      else expect(json.restored).toMatch(/s1\/0\//);
      const { code, equal, tables } = await diff(shadow, '--places');
      expect({ code, equal }, JSON.stringify(tables, null, 1)).toEqual({ code: 0, equal: true });
      expect(tables.map(({ live }) => live).sort()).toEqual([
        'alerts',
        'bed_status',
        'ed_status',
        'ed_status_quarterly',
        'emergency_calls',
        'hospitals',
        'unit_reports',
      ]);
      if (from === undefined) {
        for (const table of tables) expect(table.equal + table.superseded, table.live).toBeGreaterThan(0);
      }
      return json.until as number;
    },
    async expectOtherAlerts(shadow) {
      const text = await readFile(topology, 'utf8');
      const changed = join(directory, 'changed.yaml');
      const lower = text
        .replace('raise: level >= 3', 'raise: level >= 2')
        .replace('clear: level <= 2', 'clear: level <= 1');
      expect(lower).not.toBe(text);
      await writeFile(changed, lower);
      await mach('replay', topology, '--with', changed, '--into', shadow);
      const { code, equal, tables } = await diff(shadow);
      expect({ code, equal }).toEqual({ code: 1, equal: false });
      const differing = tables.filter(({ rows }) => rows.length > 0);
      expect(differing.map(({ live }) => live)).toEqual(['alerts']);
      const why = differing[0]?.rows.find((row) => row.why.shadow !== null)?.why;
      const command = why?.shadow ?? '';
      expect(command).toMatch(/^mach why alerts\/s\d\/\d+\/\d+\/\d+ --topology \S+ --replayed$/);
      // The command that is shown works, for a row that the live topology never gave, too.
      const { json } = await mach(...command.split(' ').slice(1));
      expect(json).toMatchObject({ replay: { verified: true } });
    },
  };
}
