import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, type Event, field } from '../runtime/stream/index.ts';
import { expectKeysApart } from '../runtime/testing/keys-apart.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  type Step,
  stepsOf,
  watermark,
} from '../runtime/testing/operator-harness.ts';
import { latest } from './latest.ts';

const schema = defineSchema({ ward: field.string(), bed: field.int(), state: field.string() });
const options = { from: 'in', key: ['ward', 'bed'] };
const runOf = (extra: object = {}) => operatorRun({ definition: latest, options: { ...options, ...extra }, schema });
const steps = stepsOf(
  fc.record({
    ward: fc.constantFrom('ED', 'ICU'),
    bed: fc.integer({ min: 1, max: 2 }),
    state: fc.constantFrom('free', 'taken', 'cleaned'),
  }),
  { stepMs: 20_000, disorderMs: 40_000 },
);
const eventsOf = (list: readonly Step[]) => list.flatMap((step) => (step.kind === 'event' ? [step] : []));
const sameBed = (a: Event, b: Event) => a.ward === b.ward && a.bed === b.bed;

describe('latest', () => {
  it('passes what nothing before it is newer than', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const events = eventsOf(list);
        const expected = events.filter(
          ({ event, time }, index) =>
            !events.slice(0, index).some((before) => sameBed(before.event, event) && before.time > time),
        );
        const result = runOf()(list);
        expect(result.ports.out ?? []).toEqual(expected.map(({ event, time }) => ({ event, time })));
        expect(result.accounting.dropped_by_reason.outdated ?? 0).toBe(events.length - expected.length);
      }),
    );
  });

  it('at steps gives the newest of each key in the end, and nothing that was given before', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const given = runOf({ every: '30s' })(list).events();
        const last = new Map(given.map((event) => [`${event.ward}${event.bed}`, event]));
        const expected = new Map<string, { event: Event; time: number }>();
        for (const one of eventsOf(list)) {
          const bed = `${one.event.ward}${one.event.bed}`;
          if ((expected.get(bed)?.time ?? 0) <= one.time) expected.set(bed, one);
        }
        expect(last).toEqual(new Map([...expected].map(([bed, { event }]) => [bed, event])));
        expect(given.length).toBeLessThanOrEqual(eventsOf(list).length);
      }),
    );
  });

  it.each([{}, { every: '30s' }, { forget: '1m' }, { every: '10s', forget: '40s' }])(
    'does not depend on cuts and crashes: %j',
    (extra) => expectSameForAnyCut(runOf(extra), steps),
  );

  it.each([{}, { every: '30s' }, { forget: '1m' }, { every: '30s', forget: '30s' }])(
    'has a newest event of each key that has nothing to do with others: %j',
    (extra) => expectKeysApart(runOf({ key: 'ward', ...extra }), steps, 'ward'),
  );

  it('forgets a key, whatever other keys are remembered', () => {
    const bed = { ward: 'ED', bed: 1, state: 'free' };
    const result = runOf({ forget: '1m' })([
      at(100_000, { ...bed, bed: 2 }),
      at(50_000, bed),
      watermark(115_000),
      at(56_000, { ...bed, state: 'taken' }),
      at(40_000, bed),
      watermark(170_000),
      at(120_000, { ...bed, bed: 2, state: 'taken' }),
    ]);
    expect(result.events().map(({ bed: number, state }) => [number, state])).toEqual([
      [2, 'free'],
      [1, 'free'],
      [1, 'taken'],
      [2, 'taken'],
    ]);
    expect(result.accounting.late).toBe(1);
  });

  it('turns away what would be one key too many', () => {
    const bed = { ward: 'ED', bed: 1, state: 'free' };
    const result = runOf({ keys: 1 })([at(0, bed), at(1, { ...bed, bed: 2 }), at(2, bed)]);
    expect(result.events()).toEqual([bed, bed]);
    expect(result.events('dead')).toMatchObject([{ bed: 2, code: 'MACH1800' }]);
  });

  it('lets go of nothing that waits for its step, though its key is forgotten meanwhile', () => {
    const bed = { ward: 'ED', bed: 1, state: 'free' };
    const result = runOf({ every: '30s', forget: '30s', keys: 1 })([
      watermark(61_000),
      at(32_000, bed),
      watermark(62_000),
      at(62_000, { ...bed, bed: 2 }),
      watermark(90_000),
      at(90_000, { ...bed, bed: 3 }),
    ]);
    expect(result.events().map((row) => row.bed)).toEqual([1, 3]);
    expect(result.events('dead')).toMatchObject([{ bed: 2 }]);
  });

  it.each([
    [{ key: 'wrd' }, 'is not a field'],
    [{ every: '0s' }, 'the time is at least 1ms'],
    [{ every: '1h', forget: '1m' }, 'a key would be forgotten before its newest event is given'],
  ])('says what is wrong with %j', (extra, message) => {
    const bind = () => bindOperator({ definition: latest, options: { ...options, ...extra }, schema });
    expect(bind).toThrow(BindProblems);
    expect(bind).toThrow(message);
  });
});
