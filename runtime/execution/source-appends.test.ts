/** Two owners of one source: what the first had under way when it lost the source comes late, or not at all. */
import { expect, it } from 'vitest';
import { faultPlan, noFaults } from '../bus/memory/faults.ts';
import { memoryLog } from '../bus/memory/log.ts';
import { virtualClock } from '../clock.ts';
import { limits } from '../limits.ts';
import { openSourceAppends } from './source-appends.ts';

const spec = { name: 'in', subjects: ['in.>'], durability: 'disk' } as const;
const subject = 'in.adt.0';

async function openOwners() {
  const clock = virtualClock(1_700_000_000_000);
  const faults = faultPlan(1, { appendLost: 1 });
  const log = memoryLog({ clock });
  const owner = async (name: string, own: typeof noFaults) => {
    let isClosing = false;
    const stream = await memoryLog({ clock, faults: own, storage: log.storage }).stream(spec);
    const appends = openSourceAppends({ stream, subject, clock, isClosing: () => isClosing });
    // Its place is known before anybody else appends.
    await clock.advance(0);
    const append = (number: number) => {
      let outcome = 'open';
      appends.append(new Uint8Array([number]), `${name}/${number}`).then(
        () => {
          outcome = 'stored';
        },
        ({ code }) => {
          outcome = code;
        },
      );
      return () => outcome;
    };
    return {
      append,
      close() {
        isClosing = true;
      },
    };
  };
  const stored = () => [...(log.storage.streams.get('in')?.messages.values() ?? [])].map(({ payload }) => payload[0]);
  return { clock, faults, log, owner, stored };
}

it('refuses what comes of the first after the second has appended, and all that it appends later', async () => {
  const { clock, faults, owner, stored } = await openOwners();
  const first = await owner('first', faults);
  const late = first.append(1);
  await clock.advance(1_000);
  first.close();
  const second = await owner('second', noFaults);
  const own = second.append(2);
  await clock.advance(1_000);
  expect([late(), own()]).toEqual(['open', 'stored']);
  faults.stop();
  await clock.advance(limits.appendAttemptMs);
  const later = first.append(3);
  await clock.advance(1_000);
  expect([late(), later()]).toEqual(['MACH3001', 'MACH3001']);
  expect(stored()).toEqual([2]);
});

it('refuses the second once, where what the first had under way comes before: its senders ask anew where to go on', async () => {
  const { clock, faults, owner, stored } = await openOwners();
  const first = await owner('first', faults);
  const late = first.append(1);
  await clock.advance(1_000);
  first.close();
  const second = await owner('second', noFaults);
  faults.stop();
  await clock.advance(limits.appendAttemptMs);
  expect(late()).toBe('stored');
  const own = second.append(2);
  await clock.advance(1_000);
  const again = second.append(3);
  await clock.advance(1_000);
  expect([own(), again()]).toEqual(['MACH3001', 'stored']);
  expect(stored()).toEqual([1, 3]);
});

it('goes on where the newest has gone with its age', async () => {
  const { clock, log, owner, stored } = await openOwners();
  const only = await owner('only', noFaults);
  const before = only.append(1);
  await clock.advance(1_000);
  const messages = log.storage.streams.get('in');
  messages?.messages.clear();
  messages?.lastBySubject.clear();
  const after = only.append(2);
  await clock.advance(1_000);
  expect([before(), after()]).toEqual(['stored', 'stored']);
  expect(stored()).toEqual([2]);
});
