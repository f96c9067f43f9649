import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../runtime/stream/index.ts';
import {
  at,
  BindProblems,
  bindOperator,
  expectSameForAnyCut,
  operatorRun,
  stepsOf,
} from '../runtime/testing/operator-harness.ts';
import { sample } from './sample.ts';

const schema = defineSchema({ unit: field.string({ nullable: true }), km: field.int() });
const event = fc.record({ unit: fc.constantFrom('A1', 'A2', null), km: fc.nat({ max: 200 }) });
const runOf = (options: object) =>
  operatorRun({ definition: sample, options: { from: 'positions', ...options }, schema });

describe('sample every', () => {
  const run = runOf({ every: 3, key: 'unit' });

  it('passes the first of every three of a key', () => {
    fc.assert(
      fc.property(stepsOf(event), (steps) => {
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step.event] : []));
        const expected = events.filter(
          (one, index) => events.slice(0, index).filter(({ unit }) => unit === one.unit).length % 3 === 0,
        );
        const result = run(steps);
        expect(result.events()).toEqual(expected);
        expect(result.accounting.dropped_by_reason.sampled ?? 0).toBe(events.length - expected.length);
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event));
  });

  it('counts all together without a key', () => {
    const list = ['A1', 'A2', 'A1', 'A2'].map((unit, km) => at(km, { unit, km }));
    expect(
      runOf({ every: 2 })(list)
        .events()
        .map(({ km }) => km),
    ).toEqual([0, 2]);
  });

  it('begins anew with the oldest key at its bound', () => {
    const list = ['A1', 'A2', 'A1'].map((unit, km) => at(km, { unit, km }));
    expect(
      runOf({ every: 2, key: 'unit', keys: 1 })(list)
        .events()
        .map(({ km }) => km),
    ).toEqual([0, 1, 2]);
  });
});

describe('sample share', () => {
  const run = runOf({ share: 0.4, by: 'km' });

  it('passes all or none of what is equal', () => {
    fc.assert(
      fc.property(stepsOf(event), (steps) => {
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step.event] : []));
        const result = run(steps).events();
        const passing = new Set(result.map(({ km }) => km));
        expect(result).toEqual(events.filter(({ km }) => passing.has(km)));
      }),
    );
  });

  it('is the same for any cut and crash', () => {
    expectSameForAnyCut(run, stepsOf(event));
  });

  it.each([0, 0.1, 0.5, 0.9, 1])('of %s passes about that part, and a larger share all of it', (share) => {
    const list = Array.from({ length: 10_000 }, (_, km) => at(km, { unit: null, km }));
    const passed = runOf({ share, by: 'km' })(list).events();
    expect(Math.abs(passed.length - share * 10_000)).toBeLessThanOrEqual(200);
    const larger = new Set(runOf({ share: Math.min(1, share + 0.1), by: 'km' })(list).events());
    expect(passed.every((one) => larger.has(one))).toBe(true);
  });
});

describe('bind', () => {
  it.each([
    [{}, ''],
    [{ every: 2, share: 0.5, by: 'unit' }, ''],
    [{ share: 0.5 }, 'share'],
    [{ every: 2, by: 'unit' }, 'by'],
    [{ share: 0.5, by: 'unit', key: 'unit' }, 'key'],
    [{ share: 0.5, by: 'unit', keys: 3 }, 'keys'],
    [{ every: 2, key: 'uint' }, 'key.0'],
    [{ share: 0.5, by: 'uint' }, 'by'],
  ])('%j is wrong at "%s"', (options, path) => {
    try {
      bindOperator({ definition: sample, options: { from: 'positions', ...options }, schema });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BindProblems);
      expect((error as BindProblems).problems.map((one) => [one.path].flat().join('.'))).toEqual([path]);
    }
  });

  it.each([{ every: 0 }, { every: 1.5 }, { share: 1.1 }, { share: -0.1 }])('refuses %j', (options) => {
    expect(sample.options.safeParse({ from: 'positions', ...options }).success).toBe(false);
  });
});
