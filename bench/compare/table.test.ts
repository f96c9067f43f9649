import { describe, expect, it } from 'vitest';
import { type Contender, contenders } from './contenders.ts';
import type { Outcome } from './measure.ts';
import { spreadOf } from './spread.ts';
import { comparisonTable } from './table.ts';

const shown = ['mach', 'mach-2', 'flink'].map((name) => contenders.find((one) => one.name === name) as Contender);

function measured(query: string, contender: string, rate: number): Outcome {
  const one = spreadOf([rate]);
  return {
    query,
    contender,
    events: 1,
    eventsPerSecond: one,
    cpuSecondsPerMillion: spreadOf([1]),
    checkedRows: 0,
    sha256: '',
  };
}

describe('the table of a comparison', () => {
  it('quotes the better of ours, and says which it is', () => {
    const table = comparisonTable(
      [
        measured('q0', 'mach', 1_000_000),
        measured('q0', 'mach-2', 1_500_000),
        measured('q0', 'flink', 1_000_000),
        measured('q4', 'mach', 500_000),
        { query: 'q4', contender: 'mach-2', reason: 'it keeps state' },
        { query: 'q4', contender: 'flink', reason: 'it ended' },
      ],
      shown,
    );
    expect(table).toContain('| query | Mạch | Flink, heap |');
    expect(table).toMatch(/\| q0 \| 1,500 .* Mạch, 2 workers \| 1,000 · 1\.50x/);
    expect(table).toMatch(/\| q4 \| 500 [^|]* s \| absent \|/);
    expect(table).toContain('- q4, Flink, heap: it ended');
    expect(table).not.toContain('it keeps state');
    expect(table).not.toContain(', turns');
  });

  it('has the ratio of runs beside each other, which a busy moment of the machine does not change', () => {
    const of = (contender: string, turns: readonly number[]): Outcome => ({
      ...measured('q0', contender, 1),
      eventsPerSecond: spreadOf(turns),
      turns,
    });
    const quiet = comparisonTable([of('mach', [4e6, 4e6, 4e6]), of('flink', [2e6, 2e6, 2e6])], shown);
    const busy = comparisonTable([of('mach', [2e6, 2e6, 4e6]), of('flink', [1e6, 1e6, 2e6])], shown);
    expect(quiet).toContain('| 2,000 · 2.00x (1.00x), turns 2.00x |');
    expect(busy).toContain('| 2,000 · 1.00x (1.00x), turns 2.00x |');
  });
});
