/**
 * Objects as messages of a stream that keeps the newest of each subject: the pieces first, each under a subject of its
 * own, then one message with their list and the checksum, which makes them the object. A reader sees the old list or the
 * new one. What no list names is removed.
 */
import { createHash, randomUUID } from 'node:crypto';
import { limits } from '../limits.ts';
import { logErrors } from './errors.ts';
import type { LogMessage, ObjectStore, StreamSpec } from './log.ts';
import { isUnanswered } from './unanswered.ts';

/** What an implementation of the log gives for objects. */
export interface ObjectBackend {
  append(subject: string, payload: Uint8Array): Promise<unknown>;
  last(subject: string): Promise<LogMessage | undefined>;
  /** The only message of a subject, which never changes: whoever has a copy may give it. */
  piece(subject: string): Promise<LogMessage | undefined>;
  /** Subjects that have a message, of those that match. */
  subjects(filter: string): Promise<readonly string[]>;
  /** Removes the messages of the subjects that match. */
  purge(filter: string): Promise<void>;
}

interface Manifest {
  readonly name: string;
  readonly id: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly sha256: string;
}

const chunkBytes = limits.objectChunkBytesMax;
/** A reader that meets a replacement of what it reads starts again this often. */
const attemptsMax = 5;
/** Pieces that are asked for at a time. */
const chunksAtOnce = 8;

export const objectStreamSpec = (bucket: string): StreamSpec => ({
  name: `objects-${bucket}`,
  subjects: [`mach-objects.${bucket}.>`],
  durability: 'disk',
  description: `Objects of ${bucket}`,
  latestOnly: true,
});

const encodeName = (name: string): string => Buffer.from(name, 'utf8').toString('base64url');
const decodeName = (token: string): string => Buffer.from(token, 'base64url').toString('utf8');
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

export function chunkedObjects(bucket: string, backend: ObjectBackend): ObjectStore {
  const nameSubject = (name: string) => {
    if (name === '') throw new Error('an object needs a name');
    return `mach-objects.${bucket}.name.${encodeName(name)}`;
  };
  const chunkSubject = (id: string, index: number | '*') => `mach-objects.${bucket}.chunk.${id}.${index}`;

  async function readManifest(name: string): Promise<Manifest | undefined> {
    const message = await backend.last(nameSubject(name));
    if (!message) return undefined;
    try {
      return JSON.parse(Buffer.from(message.payload).toString('utf8')) as Manifest;
    } catch (error) {
      throw logErrors.make('MACH3007', { name, bucket, reason: 'its list of pieces cannot be read' }, error);
    }
  }

  async function readChunks(manifest: Manifest): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    let next = 0;
    let isGone = false;
    const read = async () => {
      while (next < manifest.chunks && !isGone) {
        const index = next++;
        const piece = await backend.piece(chunkSubject(manifest.id, index));
        if (piece) chunks[index] = piece.payload;
        else isGone = true;
      }
    };
    await Promise.all(Array.from({ length: Math.min(chunksAtOnce, manifest.chunks) }, read));
    if (isGone) return undefined;
    if (chunks.reduce((bytes, chunk) => bytes + chunk.length, 0) !== manifest.bytes) return undefined;
    const data = new Uint8Array(manifest.bytes);
    let filled = 0;
    for (const chunk of chunks) {
      data.set(chunk, filled);
      filled += chunk.length;
    }
    return data;
  }

  return {
    async put(name, data) {
      const before = await readManifest(name).catch(() => undefined);
      const id = randomUUID();
      const chunks = Math.ceil(data.length / chunkBytes);
      const manifest: Manifest = { name, id, bytes: data.length, chunks, sha256: sha256(data) };
      const pieces = Array.from({ length: chunks }, (_, index) =>
        backend.append(chunkSubject(id, index), data.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
      );
      try {
        await Promise.all(pieces);
        await backend.append(nameSubject(name), Buffer.from(JSON.stringify(manifest)));
      } catch (error) {
        // A log that is full would stay full of them. Where nobody knows whether the list is stored, they may be the object.
        if (!isUnanswered(error)) {
          await Promise.allSettled(pieces);
          await backend.purge(chunkSubject(id, '*')).catch(() => undefined);
        }
        throw error;
      }
      if (before) await backend.purge(chunkSubject(before.id, '*'));
    },
    async get(name) {
      let damaged: string | undefined;
      for (let attempt = 1; attempt <= attemptsMax; attempt++) {
        const manifest = await readManifest(name);
        if (!manifest) return undefined;
        // The same list twice: nobody has replaced it, so what is wrong with it stays wrong.
        if (damaged === manifest.id) throw logErrors.make('MACH3007', { name, bucket, reason: 'pieces are missing' });
        const data = await readChunks(manifest);
        if (data && sha256(data) === manifest.sha256) return data;
        if (data) throw logErrors.make('MACH3007', { name, bucket, reason: 'its bytes do not match their SHA-256' });
        damaged = manifest.id;
      }
      throw logErrors.make('MACH3007', {
        name,
        bucket,
        reason: `it was replaced ${attemptsMax} times while it was read`,
      });
    },
    async list() {
      const subjects = await backend.subjects(`mach-objects.${bucket}.name.*`);
      return subjects.map((subject) => decodeName(subject.slice(subject.lastIndexOf('.') + 1))).sort();
    },
    async delete(name) {
      const before = await readManifest(name).catch(() => undefined);
      await backend.purge(nameSubject(name));
      if (before) await backend.purge(chunkSubject(before.id, '*'));
    },
  };
}

/** Pieces older than this that no object names were left by a put that died. */
const orphanAgeMs = 3_600_000;

/** Removes what puts that died have left. Call it where no put of an object can have been under way for an hour. */
export async function removeOrphans(bucket: string, backend: ObjectBackend, now: number): Promise<number> {
  const manifests = await Promise.all(
    (await backend.subjects(`mach-objects.${bucket}.name.*`)).map((subject) => backend.last(subject)),
  );
  const named = new Set(
    manifests.flatMap((message) =>
      message ? [(JSON.parse(Buffer.from(message.payload).toString('utf8')) as Manifest).id] : [],
    ),
  );
  const firstPieces = await backend.subjects(`mach-objects.${bucket}.chunk.*.0`);
  let removed = 0;
  for (const subject of firstPieces) {
    const id = subject.split('.')[3] ?? '';
    const piece = named.has(id) ? undefined : await backend.last(subject);
    if (!piece || now - piece.storedAt < orphanAgeMs) continue;
    await backend.purge(`mach-objects.${bucket}.chunk.${id}.*`);
    removed++;
  }
  return removed;
}
