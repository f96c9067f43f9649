import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { machine } from '../machine.ts';
import { isSlower } from './baseline.ts';
import { contenders, toolVersions, versionOf } from './contenders.ts';
import { agreedQueries, isMissing, type Measurement, wrongRows } from './measure.ts';
import { barPlot } from './plot.ts';
import { keepOutcomes } from './report.ts';
import { spreadOf } from './spread.ts';
import { comparisonTable, ratios } from './table.ts';

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

  it('says of which queries all rows agree', () => {
    const of = (query: string, ...hashes: string[]) =>
      hashes.map((sha256, at) => ({ ...measured(`contender ${at}`, [1], sha256), query }));
    const alone = [...of('q3', 'a'), { query: 'q3', contender: 'gone', reason: 'absent' }];
    const all = [...of('q0', 'a', 'a'), ...of('q1', 'a', 'b', 'a'), ...of('q2', 'b', 'b', 'b'), ...alone];
    expect(agreedQueries(all)).toEqual(['q0', 'q2']);
  });

  it('says who was timed over fewer events, and who is missing', () => {
    const shown = contenders.filter(({ name }) => name === 'mach' || name === 'loop' || name === 'node-red');
    const table = comparisonTable(
      [
        { ...measured('mach', [1], 'a'), events: 1_000_000 },
        { ...measured('loop', [1], 'a'), events: 20_000 },
        { query: 'q0', contender: 'node-red', reason: 'not built' },
      ],
      shown,
    );
    expect(table).toContain('- hand-written loop: 20,000 events in q0\n');
    expect(table).toContain('- q0, Node-RED: not built\n');
    expect(table).not.toContain('Mạch: 1,000,000 events');
  });

  it('says the versions of the peers, as their builds pin them, and of their tools', () => {
    const versions = contenders.filter(({ version }) => version).map(versionOf);
    expect(versions.length).toBeGreaterThan(0);
    for (const version of versions) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(toolVersions(contenders.filter(({ needs }) => needs.includes('python3'))).python3).toMatch(
      /^Python 3|^absent$/,
    );
  });

  it('is kept in parts: of each query, what ran in turns last', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mach-compare-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const settings = {
      events: 10,
      checkEvents: 10,
      seed: 1,
      rate: 10_000,
      disorder: 1,
      runs: 1,
      warmUpMs: 0,
      over: 'generator',
    } as const;
    const head = {
      benchmark: 'compare',
      machine: machine(),
      load_before: 0,
      tools: { java: 'openjdk 17' },
      settings,
    } as const;
    const [q0, q1] = [measured('mach', [1_000], 'a'), { ...measured('mach', [5_000], 'a'), query: 'q1' }];
    await keepOutcomes(folder, { ...head, at: '2026-01-01T00:00:00Z' }, [q0, measured('loop', [2_000], 'a'), q1]);
    await keepOutcomes(folder, { ...head, at: '2026-01-02T00:00:00Z' }, [measured('mach', [3_000], 'a')]);
    expect((await readFile(join(folder, 'compare.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(4);
    const text = await readFile(join(folder, 'compare.md'), 'utf8');
    expect(text).toMatch(/^- q0: 10 events, .*openjdk 17; .*2026-01-02T00:00:00Z\n- q1: .*2026-01-01T00:00:00Z\n/);
    expect(text).toContain('| q0 | 3 (3 to 3)');
    expect(text).toContain('| q1 | 5 (5 to 5)');
    expect(text).not.toContain('hand-written loop');
    expect(await readFile(join(folder, 'compare.svg'), 'utf8')).toContain('</svg>');
  });

  it('is drawn with a bar for each figure that there is', () => {
    const svg = barPlot(
      { title: 'a < b', unit: 'events/s' },
      ['q0', 'q1'],
      [{ name: 'mach', values: [1_000, undefined] }],
    );
    expect(svg.match(/<rect[^>]*><title>/g)).toHaveLength(1);
    expect(svg).toContain('a &lt; b');
    expect(barPlot({ title: 'none', unit: 'events/s' }, ['q0'], [{ name: 'mach', values: [undefined] }])).toContain(
      '</svg>',
    );
  });
});
