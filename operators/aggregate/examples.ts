import type { Example, Schema } from '../../runtime/stream/index.ts';

const waits: Schema = { fields: { hospital: { type: { kind: 'string' } }, minutes: { type: { kind: 'int' } } } };
const minute = 60_000;

export const examples: readonly Example[] = [
  {
    title: 'patients and their longest wait, for each hospital and minute',
    options: {
      from: 'waiting',
      key: 'hospital',
      window: { tumbling: '1m' },
      values: { patients: 'count()', longest_wait: 'max(minutes)' },
    },
    schema: waits,
    in: [
      { hospital: 'H1', minutes: 30, $time: 0 },
      { hospital: 'H2', minutes: 5, $time: 10_000 },
      { hospital: 'H1', minutes: 45, $time: 59_999 },
      { hospital: 'H1', minutes: 50, $time: minute },
    ],
    out: [
      { hospital: 'H1', window_start: 0, window_end: minute, patients: 2, longest_wait: 45, revision: 0, early: false },
      { hospital: 'H2', window_start: 0, window_end: minute, patients: 1, longest_wait: 5, revision: 0, early: false },
      {
        hospital: 'H1',
        window_start: minute,
        window_end: 2 * minute,
        patients: 1,
        longest_wait: 50,
        revision: 0,
        early: false,
      },
    ],
  },
  {
    title: 'the last two minutes, every minute',
    options: { from: 'waiting', window: { sliding: '2m', every: '1m' }, values: { total: 'sum(minutes)' } },
    schema: waits,
    in: [
      { hospital: 'H1', minutes: 3, $time: 0 },
      { hospital: 'H2', minutes: 4, $time: minute },
    ],
    out: [
      { window_start: -minute, window_end: minute, total: 3, revision: 0, early: false },
      { window_start: 0, window_end: 2 * minute, total: 7, revision: 0, early: false },
      { window_start: minute, window_end: 3 * minute, total: 4, revision: 0, early: false },
    ],
  },
  {
    title: 'journeys of ambulances: what belongs together has no gap of ten minutes',
    options: {
      from: 'positions',
      key: 'unit',
      window: { session: '10m' },
      values: { positions: 'count()', km: 'sum(km)' },
    },
    schema: { fields: { unit: { type: { kind: 'string' } }, km: { type: { kind: 'float' } } } },
    in: [
      { unit: 'A1', km: 1.5, $time: 0 },
      { unit: 'A1', km: 2, $time: 9 * minute },
      { unit: 'A1', km: 0.5, $time: 19 * minute },
    ],
    out: [
      { unit: 'A1', window_start: 0, window_end: 19 * minute, positions: 2, km: 3.5, revision: 0, early: false },
      {
        unit: 'A1',
        window_start: 19 * minute,
        window_end: 29 * minute,
        positions: 1,
        km: 0.5,
        revision: 0,
        early: false,
      },
    ],
  },
  {
    title: 'how many beds each ward has free, a row whenever that changes',
    options: {
      from: 'beds',
      key: 'ward',
      of: 'bed',
      window: { global: true, early: 'change' },
      values: { free: 'count(free)' },
    },
    in: [
      { ward: 'ICU', bed: '1', free: true, $time: 0 },
      { ward: 'ICU', bed: '2', free: true, $time: 1_000 },
      { ward: 'ICU', bed: '2', free: true, $time: 2_000 },
      { ward: 'ICU', bed: '1', free: false, $time: 3_000 },
    ],
    out: [
      { ward: 'ICU', window_start: 0, window_end: 1, free: 1, revision: 0, early: true },
      { ward: 'ICU', window_start: 0, window_end: 1_001, free: 2, revision: 0, early: true },
      { ward: 'ICU', window_start: 0, window_end: 3_001, free: 1, revision: 0, early: true },
    ],
  },
  {
    title: 'the ward with the most patients of the last ten minutes, every five',
    options: {
      from: 'arrivals',
      key: 'ward',
      window: { sliding: '10m', every: '5m' },
      values: { patients: 'count()' },
      best: { by: 'patients' },
    },
    in: [
      { ward: 'ED', $time: 0 },
      { ward: 'ED', $time: 1_000 },
      { ward: 'ICU', $time: 5 * minute },
    ],
    out: [
      { ward: 'ED', window_start: -5 * minute, window_end: 5 * minute, patients: 2, revision: 0, early: false },
      { ward: 'ED', window_start: 0, window_end: 10 * minute, patients: 2, revision: 0, early: false },
      { ward: 'ICU', window_start: 5 * minute, window_end: 15 * minute, patients: 1, revision: 0, early: false },
    ],
  },
];
