import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import { at, bindOperator, expectSameForAnyCut, operatorRun, stepsOf } from '../../runtime/testing/operator-harness.ts';
import { edOverload } from './ed-overload.ts';

const schema = defineSchema({
  patients: field.int({ nullable: true }),
  beds: field.int({ nullable: true }),
  held: field.int({ nullable: true }),
});
const inputs = {
  ed_patients: 'patients',
  ed_beds: 'beds',
  boarding: 'held',
  hospital_beds: '600',
  ventilated: '0',
  longest_boarding_hours: '0',
  last_bed_wait_hours: '0',
};
const run = operatorRun({ definition: edOverload, options: { from: 'status', inputs }, schema });
const first = (event: Record<string, number | null>) => run([at(0, event)]).events()[0];

describe('ed-overload', () => {
  it('computes from what is known', () => {
    expect(first({ patients: 30, beds: 20, held: 6 })).toMatchObject({
      occupancy: 1.5,
      nedocs: 85.8 * 1.5 + 6 - 20,
      nedocs_band: 'overcrowded',
      level: 3,
      level_decided_by: 'nedocs',
    });
  });

  it('names what is missing and guesses nothing', () => {
    const result = first({ patients: 30, beds: null, held: 6 });
    expect(result).toMatchObject({
      occupancy: null,
      nedocs: null,
      nedocs_band: null,
      edwin: null,
      level: null,
      level_decided_by: null,
    });
    expect(result?.missing_inputs).toContain('ed_beds');
    expect(result?.missing_inputs).not.toContain('ed_patients');
  });

  it('is null, not infinite, without beds', () => {
    expect(first({ patients: 30, beds: 0, held: 0 })).toMatchObject({ occupancy: null, nedocs: null, level: null });
  });

  it('refuses inputs that are no numbers, unknown inputs, and fields that it would overwrite', () => {
    const bind =
      (options: object, fields: object = schema.fields) =>
      () =>
        bindOperator({
          definition: edOverload,
          options: { from: 'status', ...options },
          schema: { fields: fields as typeof schema.fields },
        });
    expect(bind({ inputs: { ed_patients: '"many"' } })).toThrow(/number/);
    expect(bind({ inputs: { patience: '1' } })).toThrow(/patience/);
    expect(bind({ inputs }, { ...schema.fields, level: field.int() })).toThrow(/level already/);
  });

  it('is the same however the input is cut, and after crashes', () => {
    const event = fc.record({
      patients: fc.option(fc.nat({ max: 80 }), { nil: null }),
      beds: fc.option(fc.nat({ max: 40 }), { nil: null }),
      held: fc.option(fc.nat({ max: 30 }), { nil: null }),
    });
    expectSameForAnyCut(run, stepsOf(event), { runs: 50 });
  });
});
