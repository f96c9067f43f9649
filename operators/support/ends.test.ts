import { expect, it } from 'vitest';
import { Ends } from './ends.ts';

/** Keys in `Ends` with the time of each, as an operator keeps them. */
function keysDue(times: Record<string, number>) {
  const ends = new Ends<string>();
  const dues = new Map<string, number>();
  const put = (key: string, time: number) => {
    dues.set(key, time);
    ends.add(key, time);
  };
  for (const [key, time] of Object.entries(times)) put(key, time);
  const take = (watermark: number) => {
    const told: string[] = [];
    for (const key of ends.takeDue(watermark, (one) => dues.get(one))) {
      dues.delete(key);
      told.push(key);
    }
    return told;
  };
  return { ends, put, take };
}

it('tells each key when the watermark is at its time, not before, and once', () => {
  const { take } = keysDue({ early: 1_100, late: 1_900, next: 2_000, never: Number.POSITIVE_INFINITY });
  expect(take(1_099)).toEqual([]);
  expect(take(1_100)).toEqual(['early']);
  expect(take(1_899)).toEqual([]);
  expect(take(2_000)).toEqual(['late', 'next']);
  expect(take(Number.POSITIVE_INFINITY)).toEqual([]);
});

it('tells a key that was put elsewhere at its new time alone', () => {
  const { put, take } = keysDue({ sooner: 5_500, later: 1_200, sameSecond: 1_300 });
  put('sooner', 2_500);
  put('later', 4_000);
  put('sameSecond', 1_800);
  expect(take(1_500)).toEqual([]);
  expect(take(3_000)).toEqual(['sameSecond', 'sooner']);
  expect(take(4_000)).toEqual(['later']);
  expect(take(9_000)).toEqual([]);
});

it('takes a key that is put back while it tells of others', () => {
  const { ends } = keysDue({});
  const dues = new Map([
    ['a', 1_000],
    ['b', 1_400],
  ]);
  for (const [key, time] of dues) ends.add(key, time);
  const told: string[] = [];
  for (const key of ends.takeDue(1_500, (one) => dues.get(one))) {
    told.push(key);
    dues.set(key, 1_700);
    ends.add(key, 1_700);
  }
  expect(told).toEqual(['a', 'b']);
  expect([...ends.takeDue(1_699, (one) => dues.get(one))]).toEqual([]);
  expect(new Set(ends.takeDue(1_700, (one) => dues.get(one)))).toEqual(new Set(['a', 'b']));
});

it('passes over long times that nobody waits for', () => {
  const { take } = keysDue({ near: 0, far: 4e12 });
  expect(take(3e12)).toEqual(['near']);
  expect(take(4e12)).toEqual(['far']);
});
