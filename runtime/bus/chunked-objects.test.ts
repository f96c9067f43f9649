import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { chunkedObjects, type ObjectBackend, removeOrphans } from './chunked-objects.ts';
import { logErrors } from './errors.ts';
import type { LogMessage } from './log.ts';
import { subjectMatches } from './subjects.ts';

const pieceBytes = limits.objectChunkBytesMax;
const hourMs = 3_600_000;

function plainBackend() {
  const messages = new Map<string, LogMessage>();
  const clock = { now: 0 };
  const backend: ObjectBackend = {
    async append(subject, payload) {
      messages.set(subject, { subject, payload, sequence: messages.size + 1, storedAt: clock.now } as LogMessage);
    },
    last: async (subject) => messages.get(subject),
    piece: async (subject) => messages.get(subject),
    subjects: async (filter) => [...messages.keys()].filter((subject) => subjectMatches(filter, subject)),
    async purge(filter) {
      for (const subject of [...messages.keys()]) if (subjectMatches(filter, subject)) messages.delete(subject);
    },
  };
  return { backend, clock, messages };
}

describe('what puts that died have left', () => {
  it('goes once no put can be at it any more; what an object names stays', async () => {
    const { backend, clock, messages } = plainBackend();
    const objects = chunkedObjects('bucket', backend);
    const data = new Uint8Array(600_000).fill(7);
    await objects.put('kept', data);
    const leave = (id: string) => {
      for (const index of [0, 1]) void backend.append(`mach-objects.bucket.chunk.${id}.${index}`, data);
    };
    leave('old');
    clock.now = hourMs;
    leave('young');
    expect(await removeOrphans('bucket', backend, clock.now + hourMs - 1)).toBe(1);
    const left = [...messages.keys()].filter((subject) => /\.(old|young)\./.test(subject));
    expect(left).toEqual(['mach-objects.bucket.chunk.young.0', 'mach-objects.bucket.chunk.young.1']);
    expect(Buffer.from(data).equals((await objects.get('kept')) ?? new Uint8Array())).toBe(true);
  });
});

describe('a put that the log does not take', () => {
  const full = () => logErrors.make('MACH3004', { stream: 'S', subject: 's', reason: 'maximum bytes exceeded' });
  const unknown = () =>
    logErrors.make('MACH3002', { subject: 's', stream: 'S', attempts: 1, elapsedMs: 1, reason: 'no acknowledgement' });

  function refusing(refuses: (subject: string) => Error | undefined) {
    const { backend, messages } = plainBackend();
    const objects = chunkedObjects('bucket', {
      ...backend,
      async append(subject, payload) {
        const error = refuses(subject);
        if (error) throw error;
        await backend.append(subject, payload);
      },
    });
    return { objects, messages };
  }
  const data = new Uint8Array(3 * pieceBytes).fill(7);

  it.each([
    ['a piece', /\.chunk\..*\.1$/],
    ['the list', /\.name\./],
  ])('leaves nothing where it is full before %s', async (_, which) => {
    const { objects, messages } = refusing((subject) => (which.test(subject) ? full() : undefined));
    await expect(objects.put('one', data)).rejects.toMatchObject({ code: 'MACH3004' });
    expect([...messages.keys()]).toEqual([]);
  });

  it('leaves the pieces where nobody knows whether the list is stored', async () => {
    const { objects, messages } = refusing((subject) => (/\.name\./.test(subject) ? unknown() : undefined));
    await expect(objects.put('one', data)).rejects.toMatchObject({ code: 'MACH3002' });
    expect(messages.size).toBe(3);
  });
});
