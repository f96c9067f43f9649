/** Who looked at what names persons: a line each in the data folder, written before anything is shown. */
import { appendFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { cliErrors } from './errors.ts';

export const auditFile = 'audit.ndjson';

/** Rejects with MACH1633 when it cannot be written: then nothing may be shown. */
export async function recordReveal(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The command, as `dead-letter show`. */
  action: string;
  topology: string;
  /** What is revealed: `{ letter: '1f0a...' }`. */
  subject: Readonly<Record<string, unknown>>;
}): Promise<void> {
  const { directory, env, action, topology, subject } = args;
  try {
    const { username } = userInfo();
    const behind = env.SUDO_USER === undefined ? {} : { sudo_user: env.SUDO_USER };
    const who = { user: username, ...behind, host: hostname(), process: process.pid };
    const line = JSON.stringify({ at: new Date().toISOString(), ...who, action, topology, ...subject });
    await makeFolder(directory);
    await appendFile(join(directory, auditFile), `${line}\n`, { mode: 0o600 });
  } catch (error) {
    throw cliErrors.make('MACH1633', { reason: messageOf(error) }, error);
  }
}
