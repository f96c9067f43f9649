/** Who may do what: on loopback everyone of this machine; elsewhere holders of a token, whose roles a file names. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { boardErrors } from './errors.ts';

/** view: boards and topology; operate: acknowledge and assign alerts; reveal: what points at a person, with a reason, written down. */
export const roles = ['view', 'operate', 'reveal'] as const;
export type Role = (typeof roles)[number];

export interface Person {
  /** null: has no name of its own here and says it with what it does. */
  readonly name: string | null;
  readonly roles: ReadonlySet<Role>;
}

export interface Access {
  /** Whether a token is needed. */
  readonly isGuarded: boolean;
  /** Who asks; undefined: nobody who may. */
  personOf(request: Pick<IncomingMessage, 'headers'>): Person | undefined;
  personOfToken(token: string): Person | undefined;
}

const tokenFile = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        name: z.string().trim().min(1).max(100),
        roles: z.array(z.enum(roles)).min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'the SHA-256 of the token, as 64 digits of 0-9 and a-f'),
      }),
    )
    .min(1)
    .max(1_000),
});

export const cookieName = 'mach_boards';

/** Everyone who can reach the server may do everything: for loopback alone. */
export function openAccess(): Access {
  const anyone: Person = { name: null, roles: new Set(roles) };
  return { isGuarded: false, personOf: () => anyone, personOfToken: () => anyone };
}

/** Reads the file of tokens. Rejects with MACH3307. */
export async function guardedAccess(file: string): Promise<Access> {
  let content: z.infer<typeof tokenFile>;
  try {
    const read = tokenFile.safeParse(parse(await readFile(file, 'utf8')));
    if (!read.success) throw new Error(z.prettifyError(read.error).replace(/\s+/g, ' '));
    content = read.data;
  } catch (error) {
    throw boardErrors.make('MACH3307', { file, reason: messageOf(error) }, error);
  }
  const people = content.tokens.map(({ name, roles: own, sha256 }) => ({
    hash: Buffer.from(sha256, 'hex'),
    // Who may do more may look.
    person: { name, roles: new Set<Role>(['view', ...own]) },
  }));
  const personOfToken = (token: string) => {
    const hash = createHash('sha256').update(token).digest();
    return people.find((one) => timingSafeEqual(one.hash, hash))?.person;
  };
  return {
    isGuarded: true,
    personOfToken,
    personOf({ headers }) {
      const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? cookieOf(headers.cookie);
      return token === undefined ? undefined : personOfToken(token);
    },
  };
}

function cookieOf(header = ''): string | undefined {
  for (const part of header.split(';')) {
    const [name, value] = part.trim().split('=');
    const token = name === cookieName && value ? decoded(value) : undefined;
    if (token !== undefined) return token;
  }
  return undefined;
}

/** Any server of this host can set a cookie of the name: what is not one of ours is none. */
function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
