import { expect, it } from 'vitest';
import { readTime } from './read-time.ts';

it.each([
  ['2026-03-02T07:00:00+07:00', '2026-03-02T00:00:00.000Z'],
  ['2026-03-02 07:00+07:00', '2026-03-02T00:00:00.000Z'],
  ['2026-03-02t00:00:00.5z', '2026-03-02T00:00:00.500Z'],
  ['2024-02-29T00:00Z', '2024-02-29T00:00:00.000Z'],
])('reads %s as %s', (text, time) => {
  expect(readTime(text)).toBe(Date.parse(time));
});

it.each(['2026-03-02', '2026-03-02T07:00:00', '2026-02-30T00:00:00Z', '2026-03-02T25:00Z', '2026-03-02T07Z', '1', ''])(
  'refuses %j',
  (text) => {
    expect(readTime(text)).toBeNull();
  },
);
