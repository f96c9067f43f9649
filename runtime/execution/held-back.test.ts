import fc from 'fast-check';
import { expect, it } from 'vitest';
import { limits } from '../limits.ts';
import { HeldBack } from './held-back.ts';

const waitingOf = (origin: string, bytes: number) => ({ request: { origin, events: [] }, bytes });

it('is what a plain list would be', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ origin: fc.constantFrom('a', 'b', 'c'), bytes: fc.nat(9) }) },
    { weight: 4, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.record({ out: fc.constantFrom('a', 'b', 'c') }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const held = new HeldBack<ReturnType<typeof waitingOf>>();
      let plain: ReturnType<typeof waitingOf>[] = [];
      for (const one of steps) {
        if (one === 'shift') expect(held.shift()).toBe(plain.shift());
        else if ('out' in one) {
          const isOut = ({ request }: (typeof plain)[number]) => request.origin === one.out;
          expect(held.remove(isOut)).toEqual(plain.filter(isOut));
          plain = plain.filter((waiting) => !isOut(waiting));
        } else {
          const waiting = waitingOf(one.origin, one.bytes);
          held.push(waiting);
          plain.push(waiting);
        }
        expect([...held]).toEqual(plain);
        expect(held.first).toBe(plain[0]);
        expect([held.events, held.bytes]).toEqual([plain.length, plain.reduce((sum, { bytes }) => sum + bytes, 0)]);
      }
    }),
  );
});

it('keeps the order of very many, and nothing of those that are gone', () => {
  const held = new HeldBack<ReturnType<typeof waitingOf>>();
  const all = Array.from({ length: 10_000 }, (_, at) => waitingOf(`H${at}`, 1));
  for (const waiting of all) held.push(waiting);
  const [before, after] = [all.slice(0, 7_000), all.slice(7_000)];
  expect(before.map(() => held.shift())).toEqual(before);
  expect([...held]).toEqual(after);
  for (const waiting of before) held.push(waiting);
  expect([...held]).toEqual([...after, ...before]);
});

it('is full at heldBackEventsMax, or at heldBackBytesMax, and not any more when there is room', () => {
  const held = new HeldBack<ReturnType<typeof waitingOf>>();
  held.push(waitingOf('a', limits.heldBackBytesMax - 1));
  expect(held.isFull).toBe(false);
  held.push(waitingOf('a', 1));
  expect(held.isFull).toBe(true);
  held.shift();
  expect(held.isFull).toBe(false);
  for (let at = 1; at < limits.heldBackEventsMax; at++) held.push(waitingOf('a', 0));
  expect(held.isFull).toBe(true);
});
