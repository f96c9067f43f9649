import { describe, expect, it } from 'vitest';
import { isSlower } from './baseline.ts';
import { isMissing, type Measurement, wrongRows } from './measure.ts';
import { barPlot } from './plot.ts';
import { spreadOf } from './spread.ts';
import { ratios } from './table.ts';

const spread = (...values: number[]) => spreadOf(values);

describe('a baseline', () => {
  it('is missed by more than a tenth in runs that do not overlap', () => {
    expect(isSlower(spread(2, 2.1, 2.2), spread(2.5, 2.6, 2.7))).toBe(true);
  });

  it('is kept where runs overlap, where the loss is small, and where it is faster', () => {
    expect(isSlower(spread(2, 2.1, 2.6), spread(2.5, 2.6, 2.7))).toBe(false);
    expect(isSlower(spread(2, 2.01, 2.02), spread(2.1, 2.11, 2.12))).toBe(false);
    expect(isSlower(spread(2.5, 2.6, 2.7), spread(1, 1.1, 1.2))).toBe(false);
  });
});

const measured = (contender: string, rate: readonly number[], sha256: string): Measurement => ({
  query: 'q0',
  contender,
  events: 1,
  eventsPerSecond: spreadOf(rate),
  cpuSecondsPerMillion: spread(1, 2, 4),
  checkedRows: 1,
  sha256,
});

describe('a comparison', () => {
  it('takes our median against the best run of a peer', () => {
    expect(ratios(measured('mach', [100, 200, 900], 'a'), measured('loop', [100, 200, 400], 'a'))).toEqual({
      wall: 0.5,
      processor: 0.5,
    });
  });

  it('names whoever has other rows than most', () => {
    const all = [measured('mach', [1], 'a'), measured('loop', [1], 'a'), measured('fast', [9], 'b')];
    expect(wrongRows([...all, { query: 'q0', contender: 'gone', reason: 'absent' }])).toEqual([all[2]]);
    expect(all.some(isMissing)).toBe(false);
  });

  it('counts the votes of each query on their own', () => {
    const q0 = [measured('mach', [1], 'a'), measured('loop', [1], 'a'), measured('flink', [1], 'a')];
    const q1 = [measured('mach', [1], 'b'), measured('loop', [1], 'b')].map((one) => ({ ...one, query: 'q1' }));
    expect(wrongRows([...q0, ...q1])).toEqual([]);
  });

  it('names all where two stand against each other', () => {
    const all = [measured('mach', [1], 'a'), measured('loop', [1], 'b')];
    expect(wrongRows(all)).toEqual(all);
  });

  it('is drawn with a bar for each figure that there is', () => {
    const svg = barPlot(
      { title: 'a < b', unit: 'events/s' },
      ['q0', 'q1'],
      [{ name: 'mach', values: [1_000, undefined] }],
    );
    expect(svg.match(/<title>/g)).toHaveLength(1);
    expect(svg).toContain('a &lt; b');
    expect(barPlot({ title: 'none', unit: 'events/s' }, ['q0'], [{ name: 'mach', values: [undefined] }])).toContain(
      '</svg>',
    );
  });
});
