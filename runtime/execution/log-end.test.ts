import { expect, it } from 'vitest';
import { connectLog, logErrors } from '../bus/index.ts';
import type { StreamState } from '../bus/log.ts';
import { systemClock, virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { withNats } from '../testing/with-nats.ts';
import { LogEnd } from './log-end.ts';

/** A stream that answers when it is told to. */
function slowStream() {
  const asked: { answer(lastSequence: number): void; stayAway(): void; refuse(): void }[] = [];
  const state = () =>
    new Promise<StreamState>((resolve, reject) => {
      const answer = (lastSequence: number) => resolve({ firstSequence: 1, lastSequence, messages: 0, bytes: 0 });
      const stayAway = () => reject(logErrors.make('MACH3009', { url: 'nats://made.up', reason: 'timeout' }));
      asked.push({ answer, stayAway, refuse: () => reject(new Error('stream not found')) });
    });
  return { asked, stream: { state } };
}

const { logAnswerPatienceMs } = limits;

it('tells what was known last while the log does not answer, and for how long', async () => {
  const clock = virtualClock();
  const { asked, stream } = slowStream();
  const end = new LogEnd(stream, clock);
  const first = end.known();
  asked[0]?.answer(7);
  expect(await first).toEqual({ lastSequence: 7, silentMs: 0 });

  const second = end.known();
  await clock.advance(logAnswerPatienceMs);
  expect(await second).toEqual({ lastSequence: 7, silentMs: logAnswerPatienceMs });
  const third = end.known();
  await clock.advance(logAnswerPatienceMs);
  expect(await third).toEqual({ lastSequence: 7, silentMs: 2 * logAnswerPatienceMs });
  expect(asked, 'one question at a time').toHaveLength(2);

  asked[1]?.stayAway();
  await clock.advance(0);
  const fourth = end.known();
  expect(asked).toHaveLength(3);
  asked[2]?.answer(9);
  expect(await fourth).toEqual({ lastSequence: 9, silentMs: 0 });

  const refused = end.known();
  asked[3]?.refuse();
  expect(await refused).toEqual({ lastSequence: 9, silentMs: 0 });
  expect(clock.pending).toBe(0);
});

it('says so of a server that is stopped, long before an append would be given up', () =>
  withNats(async ({ url, server }) => {
    const clock = systemClock();
    const log = await connectLog({ url, clock });
    const stream = await log.stream({ name: 'events', subjects: ['events.>'], durability: 'broker' });
    await stream.append('events.a', new Uint8Array([1]));
    const end = new LogEnd(stream, clock);
    expect(await end.known()).toEqual({ lastSequence: 1, silentMs: 0 });
    process.kill(server.processId, 'SIGSTOP');
    try {
      const { lastSequence, silentMs } = await end.known();
      expect(lastSequence).toBe(1);
      expect(silentMs).toBeGreaterThan(0);
      expect(silentMs).toBeLessThan(limits.appendDeadlineMs);
    } finally {
      process.kill(server.processId, 'SIGCONT');
    }
    await expect.poll(async () => (await end.known()).silentMs).toBe(0);
    await log.close();
  }));
