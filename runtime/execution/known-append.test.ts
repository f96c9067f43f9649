/** Appends whose outcome is unknown for long: told once it is known, stored once. */
import { describe, expect, it } from 'vitest';
import { connectLog } from '../bus/jetstream/log.ts';
import type { LogStream } from '../bus/log.ts';
import { type FaultRates, faultPlan } from '../bus/memory/faults.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { startTcpProxy } from '../bus/testing/tcp-proxy.ts';
import { systemClock, virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { withNats } from '../testing/with-nats.ts';
import { appendUntilKnown } from './known-append.ts';

const spec = { name: 'in', subjects: ['in.>'], durability: 'disk' } as const;
const subject = 'in.adt.0';
const payload = new Uint8Array([1, 2, 3]);
const options = { id: 'adt/boot/1', whenHeld: 'refuse' } as const;

async function inMemory(rates: FaultRates) {
  const clock = virtualClock(1_700_000_000_000);
  const faults = faultPlan(1, rates);
  const stream = await memoryLog({ clock, faults }).stream(spec);
  let isClosing = false;
  let outcome = 'open';
  const done = appendUntilKnown({ stream, subject, clock, isClosing: () => isClosing }, payload, options).then(
    () => {
      outcome = 'stored';
    },
    (error) => {
      outcome = error.code;
    },
  );
  const close = () => {
    isClosing = true;
  };
  return { clock, faults, stream, done, close, outcome: () => outcome };
}

describe('an append whose outcome is unknown', () => {
  it.each<[string, FaultRates]>([
    ['that was stored', { acknowledgementLost: 1 }],
    ['that was lost', { appendLost: 1 }],
  ])('and %s is there once, also after the log has forgotten its identity', async (_, rates) => {
    const { clock, faults, stream, done, outcome } = await inMemory(rates);
    await clock.advance(limits.appendDeadlineMs - 1);
    expect(outcome()).toBe('open');
    await clock.advance(2 * limits.duplicateWindowMs);
    faults.stop();
    await clock.advance(2 * limits.appendDeadlineMs);
    await done;
    expect(outcome()).toBe('stored');
    expect((await stream.state()).messages).toBe(1);
  });

  it('is refused when the log has not stored it and takes no more', async () => {
    const { clock, stream, done, outcome } = await inMemory({ appendLost: 0.5, full: 0.5 });
    await clock.advance(20 * limits.appendDeadlineMs);
    await done;
    expect(outcome()).toBe('MACH3004');
    expect((await stream.state()).messages).toBe(0);
  });

  it('is given up when the source closes', async () => {
    const { clock, done, close, outcome } = await inMemory({ appendLost: 1 });
    await clock.advance(2 * limits.appendDeadlineMs);
    expect(outcome()).toBe('open');
    close();
    await clock.advance(2 * limits.appendDeadlineMs);
    await done;
    expect(outcome()).toBe('MACH3002');
  });

  it('is there once when the server is killed after it has stored it and before it could say so', () =>
    withNats(async ({ url, server }) => {
      const proxy = await startTcpProxy(Number(new URL(url).port));
      const log = await connectLog({ url: proxy.url, appendAttemptMs: 100, appendDeadlineMs: 500 });
      const direct = await connectLog({ url });
      try {
        const stream = await log.stream(spec);
        const seen = await direct.stream(spec);
        const unknowns: unknown[] = [];
        const watched: LogStream = {
          ...stream,
          append: (...given) =>
            stream.append(...given).catch((error) => {
              unknowns.push(error.code);
              throw error;
            }),
        };
        proxy.swallowAnswers();
        const log0 = { stream: watched, subject, clock: systemClock(), isClosing: () => false };
        const done = appendUntilKnown(log0, payload, options);
        const until = async (condition: () => boolean | Promise<boolean>) => {
          while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
        };
        await until(async () => (await seen.state()).messages === 1);
        process.kill(server.processId, 'SIGKILL');
        await until(() => unknowns.length > 0);
        proxy.thaw();
        await done;
        expect(unknowns).toContain('MACH3002');
        expect((await seen.state()).messages).toBe(1);
      } finally {
        await Promise.all([log.close(), direct.close()]);
        await proxy.close();
      }
    }));
});
