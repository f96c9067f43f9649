/** Who serves a data folder: written by the child that holds it, read by those who want to join. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const stateSchema = z.strictObject({
  port: z.int().min(1).max(65_535),
  pid: z.int().positive(),
  instance: z.string().min(1),
});

export type StoreState = z.output<typeof stateSchema>;

const statePath = (directory: string) => join(directory, 'store.json');

export function readState(directory: string): StoreState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(statePath(directory), 'utf8')));
  } catch {
    // Absent, or half a file from a crash: as if nobody served the folder. The engine's own lock decides.
    return undefined;
  }
}

/** Replaces the file in one step. */
export function writeState(directory: string, state: StoreState): void {
  const path = statePath(directory);
  const draft = `${path}.${state.pid}`;
  writeFileSync(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

export function removeState(directory: string, instance: string): void {
  if (readState(directory)?.instance === instance) rmSync(statePath(directory), { force: true });
}
