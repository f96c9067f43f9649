import type { Example, Schema } from '../../runtime/stream/index.ts';

const minute = 60_000;
const vitals: Schema = { fields: { patient: { type: { kind: 'string' } }, pulse: { type: { kind: 'int' } } } };

export const examples: readonly Example[] = [
  {
    title: 'a pulse that rises three times in a row, within a quarter of an hour',
    options: {
      from: 'vitals',
      key: 'patient',
      within: '15m',
      steps: [{ name: 'begin' }, { name: 'rise', times: 3, when: 'pulse > previous.pulse' }],
      values: { from_pulse: 'begin.first.pulse', to_pulse: 'rise.last.pulse' },
    },
    schema: vitals,
    in: [
      { patient: 'P1', pulse: 80, $time: 0 },
      { patient: 'P1', pulse: 90, $time: 4 * minute },
      { patient: 'P1', pulse: 100, $time: 8 * minute },
      { patient: 'P1', pulse: 120, $time: 12 * minute },
    ],
    out: [{ patient: 'P1', match_start: 0, match_end: 12 * minute, from_pulse: 80, to_pulse: 120 }],
  },
  {
    title: 'a call, and no matter what comes between, an ambulance that leaves and one that arrives',
    options: {
      from: 'news',
      key: 'call',
      steps: [
        { name: 'called', when: 'kind == "call"' },
        { name: 'leaves', when: 'kind == "leaves"', follows: 'later' },
        { name: 'arrives', when: 'kind == "arrives"', follows: 'later' },
      ],
      values: { unit: 'arrives.last.unit' },
    },
    schema: {
      fields: {
        call: { type: { kind: 'string' } },
        kind: { type: { kind: 'string' } },
        unit: { type: { kind: 'string' }, nullable: true },
      },
    },
    in: [
      { call: 'C1', kind: 'call', unit: null, $time: 0 },
      { call: 'C1', kind: 'leaves', unit: 'A1', $time: minute },
      { call: 'C1', kind: 'position', unit: 'A1', $time: 2 * minute },
      { call: 'C1', kind: 'arrives', unit: 'A1', $time: 9 * minute },
    ],
    out: [{ call: 'C1', match_start: 0, match_end: 9 * minute, unit: 'A1' }],
  },
  {
    title: 'waits whose mean stays below 30 minutes, and the one that breaks it',
    options: {
      from: 'waits',
      key: 'hospital',
      steps: [
        {
          name: 'good',
          times: '+',
          when: '(good.minutes + minutes) / (good.count + 1) < 30',
          totals: { minutes: 'sum(minutes)' },
        },
        { name: 'bad', when: '(good.minutes + minutes) / (good.count + 1) >= 30' },
      ],
      values: { patients: 'good.count', mean: 'good.minutes / good.count' },
    },
    schema: { fields: { hospital: { type: { kind: 'string' } }, minutes: { type: { kind: 'int' } } } },
    in: [
      { hospital: 'H1', minutes: 10, $time: 0 },
      { hospital: 'H1', minutes: 20, $time: minute },
      { hospital: 'H1', minutes: 90, $time: 2 * minute },
    ],
    out: [{ hospital: 'H1', match_start: 0, match_end: 2 * minute, patients: 2, mean: 15 }],
  },
];
