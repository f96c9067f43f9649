/**
 * One engine per folder. The lock names the engine and the server that it started, each with its start time, because a
 * process id alone may belong to somebody else by now.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { logErrors } from './errors.ts';

export interface ProcessMark {
  readonly processId: number;
  /** Opaque; differs between two processes that had the same id one after the other. */
  readonly started: string;
}

interface LockContent {
  readonly owner: ProcessMark;
  readonly server?: ProcessMark;
}

export interface FolderLock {
  recordServer(processId: number): Promise<void>;
  release(): Promise<void>;
}

/** When the process started, or undefined when there is none with this id. */
export function processStart(processId: number): string | undefined {
  try {
    // After the name, which may hold anything but ends with the last ")": state is field 3, start time field 22.
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    // No /proc (macOS), or no such process: ps knows.
  }
  try {
    const line = execFileSync('ps', ['-o', 'lstart=', '-p', String(processId)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return line.trim() || undefined;
  } catch {
    return undefined;
  }
}

const markOf = (processId: number): ProcessMark => ({ processId, started: processStart(processId) ?? 'unknown' });

export const isAlive = (mark: ProcessMark): boolean => processStart(mark.processId) === mark.started;

/** The file in a folder that says whose it is. */
export const lockName = 'engine.lock';

async function readLock(path: string): Promise<LockContent | undefined> {
  try {
    const content = JSON.parse(await readFile(path, 'utf8')) as LockContent;
    return typeof content.owner?.processId === 'number' ? content : undefined;
  } catch {
    return undefined;
  }
}

/** The server that a living engine runs in the folder; undefined when there is none, or not yet. */
export async function serverOfFolder(directory: string): Promise<ProcessMark | undefined> {
  const held = await readLock(join(directory, lockName));
  return held?.server && isAlive(held.owner) && isAlive(held.server) ? held.server : undefined;
}

/** Makes the lock, whole or not at all: a link cannot be seen half written, and fails when there is one. */
async function tryTake(path: string, content: LockContent): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, JSON.stringify(content), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Takes the folder for this process. `endServer` is called with the server of a dead owner, before the folder is used.
 * Rejects with MACH3011 when a living engine has it.
 */
export async function lockFolder(
  directory: string,
  endServer: (server: ProcessMark) => Promise<void>,
): Promise<FolderLock> {
  const path = join(directory, lockName);
  const owner = markOf(process.pid);
  const attemptsMax = 5;
  for (let attempt = 1; ; attempt++) {
    if (await tryTake(path, { owner })) break;
    const held = await readLock(path);
    if (held && isAlive(held.owner)) throw logErrors.make('MACH3011', { directory, owner: held.owner.processId });
    if (attempt >= attemptsMax)
      throw logErrors.make('MACH3011', { directory, owner: held?.owner.processId ?? 'unknown' });
    if (held?.server && isAlive(held.server)) await endServer(held.server);
    await setAside(path, held);
  }
  return {
    async recordServer(processId) {
      const draft = `${path}.${randomBytes(6).toString('hex')}`;
      await writeFile(draft, JSON.stringify({ owner, server: markOf(processId) }), { mode: 0o600 });
      await rename(draft, path);
    },
    release: () => rm(path, { force: true }),
  };
}

/** Removes a dead owner's lock, and puts it back if in the meantime somebody alive has taken its place. */
async function setAside(path: string, dead: LockContent | undefined): Promise<void> {
  const aside = `${path}.dead.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readLock(aside);
  if (moved && isAlive(moved.owner) && moved.owner.processId !== dead?.owner.processId) {
    await link(aside, path).catch(() => undefined);
  }
  await rm(aside, { force: true });
}
