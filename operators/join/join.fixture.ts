/** What the tests of the kinds of joins share: two sides of a few keys, out of order, some behind the watermark. */
import fc from 'fast-check';
import type { Event, Schema } from '../../runtime/stream/index.ts';
import { at, operatorRun, type Step, watermark } from '../../runtime/testing/operator-harness.ts';
import { join } from './join.ts';

export const left: Schema = {
  fields: { hospital: { type: { kind: 'string' }, nullable: true }, patients: { type: { kind: 'int' } } },
};
export const right: Schema = {
  fields: {
    hospital: { type: { kind: 'string' }, nullable: true },
    beds: { type: { kind: 'int' }, unit: 'beds', privacy: 'health' },
  },
};

const hospital = fc.constantFrom('H1', 'H2', null);
const number = fc.integer({ min: 0, max: 99 });

/** Lefts and rights of a few keys, out of order, some behind the watermark; one watermark for both inputs. */
export const bothSides = fc
  .array(
    fc.record({
      isLeft: fc.boolean(),
      hospital,
      number,
      gapMs: fc.nat({ max: 10_000 }),
      behindMs: fc.nat({ max: 60_000 }),
      mark: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map((draws) => {
    const steps: Step[] = [];
    let now = 1_000_000;
    for (const draw of draws) {
      now += draw.gapMs;
      const event = draw.isLeft
        ? { hospital: draw.hospital, patients: draw.number }
        : { hospital: draw.hospital, beds: draw.number };
      steps.push(at(now - draw.behindMs, event, draw.isLeft ? 'left' : 'right'));
      if (draw.mark) steps.push(watermark(now - 30_000));
    }
    return steps as readonly Step[];
  });

export interface Seen {
  readonly event: Event;
  readonly time: number;
}

/** Emitted events with times, as text, sorted: for results whose order is not what is looked at. */
export function sorted(emitted: readonly Seen[]): string[] {
  return emitted.map(({ event, time }) => JSON.stringify([time, event])).sort();
}

export function optionsFor(extra: object) {
  return { left: 'windows', right: 'beds', on: 'hospital', ...extra };
}

export const temporal = (extra: object = {}) =>
  operatorRun({ definition: join, options: optionsFor({ keep: 'latest', ...extra }), schema: { left, right } });
export const interval = (extra: object = {}) =>
  operatorRun({
    definition: join,
    options: optionsFor({ within: { before: '20s', after: '5s' }, ...extra }),
    schema: { left, right },
  });
