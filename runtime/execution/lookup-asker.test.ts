import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { LogStream } from '../bus/log.ts';
import { virtualClock } from '../clock.ts';
import type { LookupSpec } from '../stream/operator-definition.ts';
import { startLookupAsker } from './lookup-asker.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function asking(ask: LookupSpec['ask']) {
  const appended: string[] = [];
  const stream = { append: async (subject: string) => void appended.push(subject) } as unknown as LogStream;
  const clock = virtualClock(0);
  const asker = startLookupAsker({ stream, subjectOf: (node) => node, clock, onFailure: () => undefined });
  const lookup: LookupSpec = {
    input: 'from',
    ask,
    concurrency: 4,
    timeoutMs: 1_000,
    order: 'kept',
    join: (event) => ({ event }),
  };
  const askAbout = (id: string) => asker.ask({ node: 'asked', id, event: { id }, lookup });
  return { asker, appended, clock, askAbout };
}

it('keeps nothing of a question that has been answered', async () => {
  const signals: WeakRef<AbortSignal>[] = [];
  const { asker, appended, clock, askAbout } = asking(async (_event, signal) => {
    signals.push(new WeakRef(signal));
  });
  for (let number = 0; number < 100; number++) askAbout(String(number));
  while (appended.length < 100) await clock.advance(1);
  await new Promise(setImmediate);
  collectGarbage();
  const kept = signals.filter((signal) => signal.deref() !== undefined);
  expect(signals).toHaveLength(100);
  // The newest may still be on the stack.
  expect(kept.length).toBeLessThan(10);
  await asker.close();
});

it('asks nothing more once it closes, and what is under way stays open', async () => {
  let asked = 0;
  const { asker, appended, askAbout } = asking(() => {
    asked++;
    return new Promise(() => undefined);
  });
  for (let number = 0; number < 6; number++) askAbout(String(number));
  await asker.close();
  askAbout('later');
  expect([asked, appended, asker.waiting]).toEqual([4, [], 3]);
});
