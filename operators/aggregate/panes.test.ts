/** Panes of one key against a plain list in order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addPane, countPanes, dropPanes, findPane, type Panes, paneAt, paneFrom, paneIndexFrom } from './panes.ts';

const starts = fc.uniqueArray(fc.integer({ min: -30, max: 30 }), { minLength: 1, maxLength: 20 });

function panesOf([first, ...others]: readonly number[]): Panes {
  const panes: Panes = { start: first as number, held: first, changed: false, older: null };
  for (const start of others) addPane(panes, start, start).changed = start % 2 === 0;
  return panes;
}

const listOf = (panes: Panes) => Array.from({ length: countPanes(panes) }, (_, at) => paneAt(panes, at));

describe('panes', () => {
  it('stand by start, each with what it holds, in whatever order they came', () => {
    fc.assert(
      fc.property(starts, (list) => {
        const [first, ...others] = list;
        const panes = listOf(panesOf(list));
        expect(panes.map(({ start }) => start)).toEqual([...list].sort((a, b) => a - b));
        expect(panes.every(({ start, held }) => held === start)).toBe(true);
        const changed = panes.filter((pane) => pane.changed).map(({ start }) => start);
        expect(changed.sort()).toEqual(others.filter((start) => start % 2 === 0).sort());
        expect(changed).not.toContain(first);
      }),
    );
  });

  it('are found by start and by time', () => {
    fc.assert(
      fc.property(starts, fc.integer({ min: -40, max: 40 }), (list, time) => {
        const sorted = [...list].sort((a, b) => a - b);
        const panes = panesOf(list);
        const later = sorted.filter((start) => start >= time);
        expect(paneIndexFrom(panes, time)).toBe(sorted.length - later.length);
        expect(paneFrom(panes, time)?.start).toBe(later[0]);
        expect(findPane(panes, time)?.start).toBe(list.includes(time) ? time : undefined);
      }),
    );
  });

  it('lose the oldest, and take in others afterwards', () => {
    fc.assert(
      fc.property(starts, fc.nat(), fc.integer({ min: 31, max: 60 }), (list, some, next) => {
        const panes = panesOf(list);
        const count = some % list.length;
        dropPanes(panes, count);
        addPane(panes, next, next);
        const kept = [...list].sort((a, b) => a - b).slice(count);
        expect(listOf(panes).map(({ start, held }) => [start, held])).toEqual([...kept, next].map((one) => [one, one]));
      }),
    );
  });
});
