/** Keys that have nothing to do with each other: partitions hold some of them each, so that none may tell of another. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { OperatorRun, Step } from './operator-harness.ts';

/** What comes out of each key, with its time, is what came out if there were no other. `key`: the field that all ports have. */
export function expectKeysApart(run: OperatorRun, steps: fc.Arbitrary<readonly Step[]>, key: string): void {
  fc.assert(
    fc.property(steps, (list) => {
      const together = run(list).ports;
      const keys = new Set(list.flatMap((step) => (step.kind === 'event' ? [step.event[key]] : [])));
      for (const one of keys) {
        const alone = run(list.filter((step) => step.kind === 'watermark' || step.event[key] === one)).ports;
        for (const port of new Set([...Object.keys(together), ...Object.keys(alone)]))
          expect(together[port]?.filter(({ event }) => event[key] === one) ?? []).toEqual(alone[port] ?? []);
      }
    }),
  );
}
