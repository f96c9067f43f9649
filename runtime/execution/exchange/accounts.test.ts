/** What a part tells of the events of a message is what the accounts hear. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Settled } from '../../stream/ledger.ts';
import { outcome, together } from '../../stream/ledger.ts';
import type { Event } from '../../stream/schema.ts';
import { tellAccounts, toldOf } from './accounts.ts';

const plan = { partitions: 2, stages: 1, nodes: new Map(), exchanges: [] };

function told(parts: readonly Settled[]): { readonly settled: Settled; readonly texts: readonly unknown[] } {
  const events: Event[] = [];
  const to = {
    row: (_stage: number, _partition: number, { event }: { event: Event }) => void events.push(event),
    watermark() {},
  };
  for (const [partition, settled] of parts.entries())
    tellAccounts({ part: { plan, stage: 1, partition }, sequence: 1, settled, redrive: undefined, to });
  const place = { exchange: '', sequence: 1, wave: 0, cause: -1, index: 0, time: 0, acceptedAt: 0 };
  const rows = events.map((event) => ({ ...place, event }));
  const step = { sequence: 1, redrive: undefined, waves: [{ wave: 0, redrive: undefined, rows, watermarks: [] }] };
  return { settled: toldOf(step), texts: events.map(({ outcomes }) => outcomes) };
}

const outcomes = fc
  .array(fc.tuple(fc.constantFrom(...Object.values(outcome)), fc.integer({ min: 1, max: 25 })), { maxLength: 12 })
  .map((runs) => runs.flatMap(([result, run]) => new Array<number>(run).fill(result)));

it('of any outcomes, in runs of any length', () => {
  fc.assert(
    fc.property(fc.array(outcomes, { minLength: 1, maxLength: 2 }), (lists) => {
      const parts = lists.map((list) => ({
        outcomes: list,
        reasons: new Map(
          [...list.entries()].flatMap(([cause, result]) =>
            result === outcome.dropped ? [[cause, `reason ${cause % 3}`]] : [],
          ),
        ),
        dead: 1,
        redriven: 0,
      }));
      expect(told(parts).settled).toEqual(together(parts));
    }),
  );
});

it('as texts that earlier versions read and wrote', () => {
  const runs = [
    [outcome.none, 1],
    [outcome.filtered, 2],
    [outcome.delivered, 9],
    [outcome.late, 10],
    [outcome.dead, 1],
    [outcome.dropped, 123],
  ] as const;
  const settled = {
    outcomes: runs.flatMap(([result, run]) => new Array<number>(run).fill(result)),
    reasons: new Map<number, string>(),
    dead: 0,
    redriven: 0,
  };
  expect(told([settled]).texts).toEqual(['-f2o9l10dx123']);
});
