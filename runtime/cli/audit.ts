/** Who looked at what names persons: a line each in the data folder, written before anything is shown. */
import { randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { cliErrors } from './errors.ts';

export const auditFile = 'audit.ndjson';

/** The action of who asks for a key that points at a person. */
export const openAction = 'why --open';

/** Fewer letters and digits are no reason. */
const reasonLettersMin = 3;
/** Of the end of the file, where what was just written stands. */
const tailBytes = 65_536;

/** Throws MACH1661. */
export function reasonOf(text: string | undefined): string {
  const letters = text?.match(/[\p{L}\p{N}]/gu) ?? [];
  if (text === undefined || letters.length < reasonLettersMin) throw cliErrors.make('MACH1661');
  return text.trim();
}

/** Gives the id of what is written. Rejects with MACH1661 where no reason is given, with MACH1633 when it cannot be written: then nothing may be shown. */
export async function recordReveal(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The command, as `dead-letter show`. */
  action: string;
  topology: string;
  /** What is revealed: `{ letter: '1f0a...' }`. */
  subject: Readonly<Record<string, unknown>>;
  reason: string | undefined;
}): Promise<string> {
  const { directory, env, action, topology, subject } = args;
  const reason = reasonOf(args.reason);
  const id = randomUUID();
  try {
    const { username } = userInfo();
    const behind = env.SUDO_USER === undefined ? {} : { sudo_user: env.SUDO_USER };
    const who = { user: username, ...behind, host: hostname(), process: process.pid };
    const line = JSON.stringify({ at: new Date().toISOString(), id, ...who, action, topology, ...subject, reason });
    await makeFolder(directory);
    await appendLine(join(directory, auditFile), line);
    return id;
  } catch (error) {
    throw cliErrors.make('MACH1633', { reason: messageOf(error) }, error);
  }
}

/** A line of its own, also behind one that a full disk or a crash has cut off. */
async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    const isCutOff = size > 0 && buffer.toString() !== '\n';
    await file.appendFile(`${isCutOff ? '\n' : ''}${line}\n`);
  } finally {
    await file.close();
  }
}

/** Whether it has been written down here who asks for this key. Only who may write into the data folder can have done so. */
export async function isRecorded(
  directory: string,
  { audit, node, key }: { readonly audit: string; readonly node: string; readonly key: string },
): Promise<boolean> {
  const lines = await readTail(join(directory, auditFile)).catch(() => []);
  return lines.some((line) => {
    try {
      const written = JSON.parse(line) as Readonly<Record<string, unknown>>;
      return written.id === audit && written.action === openAction && written.node === node && written.key === key;
    } catch {
      return false;
    }
  });
}

async function readTail(path: string): Promise<readonly string[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString('utf8').split('\n');
  } finally {
    await file.close();
  }
}
