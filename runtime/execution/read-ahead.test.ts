import { describe, expect, it } from 'vitest';
import type { LogMessage } from '../bus/log.ts';
import { limits } from '../limits.ts';
import { readAhead } from './read-ahead.ts';

/** Messages of so many bytes each, without end; how many were asked for. */
function endless(bytes: number) {
  const payload = new Uint8Array(bytes);
  const counts = { read: 0 };
  async function* messages(): AsyncGenerator<LogMessage> {
    for (let sequence = 1; ; sequence++) {
      counts.read++;
      yield { sequence, subject: 's', headers: {}, storedAt: 0, payload };
    }
  }
  return { counts, messages: messages() };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('reading ahead of a sink', () => {
  it.each([
    [1, limits.sinkReadAheadMessagesMax],
    [limits.sinkReadAheadBytesMax / 4, 4],
    [limits.sinkReadAheadBytesMax * 2, 1],
  ])('with messages of %d bytes stops after %d, and goes on when they are taken', async (bytes, count) => {
    const { counts, messages } = endless(bytes);
    const ahead = readAhead(messages);
    await settle();
    expect(counts.read).toBe(count);
    expect(ahead.isFull()).toBe(true);
    let sequence = 0;
    for (let taking = 0; taking < 3; taking++) {
      const taken = await ahead.take();
      expect(taken[0]?.sequence).toBe(sequence + 1);
      sequence = taken.at(-1)?.sequence ?? 0;
      await settle();
      expect(counts.read).toBe(sequence + count);
    }
  });
});
