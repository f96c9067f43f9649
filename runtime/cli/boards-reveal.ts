/** What a dead letter holds, shown on the boards to who has the role `reveal`: written down first, as `mach dead-letter show --reveal` does. */
import { rawReader, readDeadLetterBook } from '../execution/dead-letters/book.ts';
import { topologyNames } from '../topology/names.ts';
import { recordReveal } from './audit.ts';
import { findEntry } from './dead-letter/open.ts';
import { cliErrors } from './errors.ts';
import { reachLog } from './reach-log.ts';

/** Rejects with MACH1631 when there is no such letter, with MACH1633 when it cannot be written down. */
export async function revealLetter(args: {
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  topology: string;
  letter: string;
  reason: string;
  /** Name of the token; null: someone of this machine. */
  by: string | null;
}): Promise<{ readonly text: string }> {
  const { directory, env, topology, letter, reason, by } = args;
  const reached = await reachLog({ directory, env });
  try {
    const stream = await reached.log.find(topologyNames(topology).deadLetterStream);
    const entry = findEntry((await readDeadLetterBook(stream)).entries, letter);
    const raw = stream && (await rawReader(stream)(entry));
    if (!raw) throw cliErrors.make('MACH1631', { id: letter, reason: 'it is no longer in the log' });
    const subject = { letter: entry.id, node: entry.node, ...(by === null ? {} : { token: by }) };
    await recordReveal({ directory, env, action: 'boards reveal', topology, subject, reason });
    return { text: textOf(raw) };
  } finally {
    await reached.close();
  }
}

/** As text, or in base64 where it is none. Segments of HL7 end with carriage returns. */
function textOf(raw: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw).replace(/\r\n?/g, '\n');
  } catch {
    return Buffer.from(raw).toString('base64');
  }
}
