import type { Example } from '../../runtime/stream/index.ts';

export const examples: readonly Example[] = [
  {
    title: 'the two longest waits of each minute',
    options: { from: 'waits', by: 'minutes', rows: 2, window: { tumbling: '1m' } },
    in: [
      { patient: 'P1', minutes: 30, $time: 0 },
      { patient: 'P2', minutes: 50, $time: 10_000 },
      { patient: 'P3', minutes: 40, $time: 20_000 },
    ],
    out: [
      { ranking_start: 0, ranking_end: 60_000, ranking_revision: 0, rank: 1, patient: 'P2', minutes: 50 },
      { ranking_start: 0, ranking_end: 60_000, ranking_revision: 0, rank: 2, patient: 'P3', minutes: 40 },
    ],
  },
  {
    title: 'the fullest hospital, as the news come',
    options: { from: 'loads', of: 'hospital', by: 'load', rows: 1, every: '1m' },
    in: [
      { hospital: 'H1', load: 0.9, $time: 1_000 },
      { hospital: 'H2', load: 0.7, $time: 2_000 },
      { hospital: 'H1', load: 0.5, $time: 3_000 },
    ],
    out: [{ ranked_at: 60_000, rank: 1, hospital: 'H2', load: 0.7 }],
  },
  {
    title: 'the wards with the most patients of each hour, all of them where several have as many',
    options: { from: 'wards', by: 'patients', rows: 1, ties: 'all', window: { tumbling: '1h' } },
    in: [
      { ward: 'ED', patients: 7, $time: 0 },
      { ward: 'ICU', patients: 9, $time: 1_000 },
      { ward: 'K2', patients: 9, $time: 2_000 },
    ],
    out: [
      { ranking_start: 0, ranking_end: 3_600_000, ranking_revision: 0, rank: 1, ward: 'ICU', patients: 9 },
      { ranking_start: 0, ranking_end: 3_600_000, ranking_revision: 0, rank: 1, ward: 'K2', patients: 9 },
    ],
  },
];
