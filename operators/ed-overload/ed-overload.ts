/** How crowded an emergency department is: NEDOCS, EDWIN, ICMED and a level, from what is known. */
import { z } from 'zod';
import {
  type CompiledExpression,
  defineOperator,
  type Event,
  expression,
  type Field,
  field,
  input,
  type Schema,
} from '../../runtime/stream/index.ts';
import { edwin, edwinBand, edwinBands, icmed, nedocs, nedocsBand, nedocsBands, overloadLevel } from './scores.ts';

/** Inputs of the scores, each a number that the topology says how to get. */
const inputNames = {
  ed_patients: 'patients in the department',
  ed_beds: 'beds of the department',
  boarding: 'admitted patients held in the department',
  hospital_beds: 'beds of the hospital',
  ventilated: 'patients on a ventilator in the department',
  longest_boarding_hours: 'longest time since the decision to admit of those held, hours',
  last_bed_wait_hours: 'time from arrival to a bed of the patient last called to one, hours',
  triage_1: 'patients of triage level 1, the most acute',
  triage_2: 'patients of triage level 2',
  triage_3: 'patients of triage level 3',
  triage_4: 'patients of triage level 4',
  triage_5: 'patients of triage level 5',
  physicians: 'attending physicians on duty',
  treatment_bays: 'treatment bays',
  offload_p90_minutes: '90th percentile of ambulance offload, minutes',
  left_without_being_seen_share: 'share that left without being seen, 0 to 1',
  triage_wait_minutes: 'longest time from arrival to triage, minutes',
  length_of_stay_p90_minutes: '90th percentile of the length of stay, minutes',
  emergent_wait_minutes: 'longest wait for a physician at triage level 1 or 2, minutes',
  admitted_left_share: 'share of the admitted who had left two hours after the decision, 0 to 1',
} as const;

type InputName = keyof typeof inputNames;
type Inputs = Record<InputName, number | null>;

const forNedocs = [
  'ed_patients',
  'ed_beds',
  'boarding',
  'hospital_beds',
  'ventilated',
  'longest_boarding_hours',
  'last_bed_wait_hours',
] as const;
const triage = ['triage_1', 'triage_2', 'triage_3', 'triage_4', 'triage_5'] as const;
const forEdwin = [...triage, 'physicians', 'treatment_bays', 'boarding'] as const;

const results: Readonly<Record<string, Field>> = {
  occupancy: field.float({ nullable: true, description: 'patients in the department for each of its beds' }),
  nedocs: field.float({ nullable: true, unit: 'points', description: 'NEDOCS (Weiss 2004)' }),
  nedocs_band: field.string({ nullable: true, values: nedocsBands, repeated: true, description: 'band of NEDOCS' }),
  edwin: field.float({ nullable: true, description: 'EDWIN (Bernstein 2003)' }),
  edwin_band: field.string({ nullable: true, values: edwinBands, repeated: true, description: 'band of EDWIN' }),
  icmed: field.int({ nullable: true, description: 'ICMED (Boyle 2013): measures violated' }),
  icmed_measured: field.int({ description: 'how many of the eight measures could be judged' }),
  level: field.int({ nullable: true, description: '1 ordinary to 4 overloaded; null when nothing is known' }),
  level_decided_by: field.string({ nullable: true, repeated: true, description: 'the score that decided the level' }),
  missing_inputs: field.list({ kind: 'string' }, { description: 'inputs of the scores that were not known' }),
};

export const edOverload = defineOperator({
  name: 'ed-overload',
  status: 'stable',
  summary:
    'Adds NEDOCS, EDWIN, ICMED and an overload level of 1 to 4; inputs that are missing are named, never guessed.',
  options: z.strictObject({
    from: input(),
    inputs: z
      .strictObject(
        Object.fromEntries(
          Object.entries(inputNames).map(([name, text]) => [name, expression().optional().describe(text)]),
        ),
      )
      .describe('where each input comes from: expressions over the fields of an event'),
  }),
  examples: [
    {
      title: 'a department at its beds, with two patients held',
      options: {
        from: 'status',
        inputs: {
          ed_patients: 'patients',
          ed_beds: 'beds',
          boarding: 'held',
          hospital_beds: '500',
          ventilated: '0',
          longest_boarding_hours: '2',
          last_bed_wait_hours: '1',
        },
      },
      in: [{ patients: 20, beds: 20, held: 2 }],
      out: [
        {
          patients: 20,
          beds: 20,
          held: 2,
          occupancy: 1,
          nedocs: 75.7,
          nedocs_band: 'extremely-busy',
          edwin: null,
          edwin_band: null,
          icmed: 0,
          icmed_measured: 2,
          level: 2,
          level_decided_by: 'nedocs',
          missing_inputs: [
            'triage_1',
            'triage_2',
            'triage_3',
            'triage_4',
            'triage_5',
            'physicians',
            'treatment_bays',
            'offload_p90_minutes',
            'left_without_being_seen_share',
            'triage_wait_minutes',
            'length_of_stay_p90_minutes',
            'emergent_wait_minutes',
            'admitted_left_share',
          ],
        },
      ],
    },
  ],
  bind({ options, inputs, check }) {
    const schema: Schema = inputs.from?.schema ?? { fields: {} };
    const given = options.inputs as Partial<Record<InputName, string>>;
    const compiled: [InputName, CompiledExpression | null][] = (Object.keys(inputNames) as InputName[]).map((name) => [
      name,
      given[name] === undefined ? null : check.expression(['inputs', name], schema, 'number'),
    ]);
    for (const name of Object.keys(results)) {
      if (Object.hasOwn(schema.fields, name))
        check.problem('from', `"${inputs.from?.from}" has a field ${name} already`, 'take it out with map');
    }
    return {
      ports: { out: { fields: { ...schema.fields, ...results } } },
      spread: { kind: 'each', unchanged: Object.keys(schema.fields) },
      stateless: (event) => ({ ...event, ...overloadOf(readInputs(compiled, event)) }),
    };
  },
});

function readInputs(compiled: readonly (readonly [InputName, CompiledExpression | null])[], event: Event): Inputs {
  const inputs = {} as Inputs;
  for (const [name, value] of compiled) {
    const result = value?.evaluate(event);
    inputs[name] = typeof result === 'number' && Number.isFinite(result) ? result : null;
  }
  return inputs;
}

type Known = { [K in InputName]: number };

function allKnown<N extends InputName>(inputs: Inputs, names: readonly N[]): Pick<Known, N> | null {
  return names.every((name) => inputs[name] !== null) ? (inputs as Pick<Known, N>) : null;
}

function overloadOf(inputs: Inputs): Event {
  const beds = allKnown(inputs, ['ed_patients', 'ed_beds']);
  const occupancy = beds && beds.ed_beds > 0 ? beds.ed_patients / beds.ed_beds : null;
  const points = nedocsOf(inputs);
  const index = edwinOf(inputs);
  const measures = icmed({
    offloadP90Minutes: inputs.offload_p90_minutes,
    leftWithoutBeingSeenShare: inputs.left_without_being_seen_share,
    triageWaitMinutes: inputs.triage_wait_minutes,
    edPatients: inputs.ed_patients,
    edBeds: inputs.ed_beds,
    lengthOfStayP90Minutes: inputs.length_of_stay_p90_minutes,
    emergentWaitMinutes: inputs.emergent_wait_minutes,
    admittedLeftShare: inputs.admitted_left_share,
    boarding: inputs.boarding,
  });
  const level = overloadLevel({ nedocs: points, edwin: index, occupancy });
  return {
    occupancy,
    nedocs: points,
    nedocs_band: points === null ? null : nedocsBand(points),
    edwin: index,
    edwin_band: index === null ? null : edwinBand(index),
    icmed: measures.measured === 0 ? null : measures.violations,
    icmed_measured: measures.measured,
    level: level?.level ?? null,
    level_decided_by: level?.decidedBy ?? null,
    missing_inputs: (Object.keys(inputNames) as InputName[]).filter((name) => inputs[name] === null),
  };
}

function nedocsOf(inputs: Inputs): number | null {
  const known = allKnown(inputs, forNedocs);
  if (!known) return null;
  return nedocs({
    edPatients: known.ed_patients,
    edBeds: known.ed_beds,
    boarding: known.boarding,
    hospitalBeds: known.hospital_beds,
    ventilated: known.ventilated,
    longestBoardingHours: known.longest_boarding_hours,
    lastBedWaitHours: known.last_bed_wait_hours,
  });
}

function edwinOf(inputs: Inputs): number | null {
  const known = allKnown(inputs, forEdwin);
  if (!known) return null;
  return edwin({
    patientsByTriage: triage.map((name) => known[name]),
    physicians: known.physicians,
    treatmentBays: known.treatment_bays,
    boarding: known.boarding,
  });
}
