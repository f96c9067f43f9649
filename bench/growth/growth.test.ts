import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linePlot } from '../compare/plot.ts';
import { spreadOf } from '../compare/spread.ts';
import { type Case, casesOf } from './cases.ts';
import { checkRows, type Measurement, measurementOf } from './measure.ts';
import { type GrowthResult, growthPage, type KeptMeasurement } from './run.ts';
import { growthPlots, growthTable, keptRate, slopeOf } from './table.ts';
import { runTrial, type TrialResult } from './trial.ts';
import { readArguments } from './usage.ts';

const timeoutMs = 600_000;

function bench(...args: string[]) {
  return promisify(execFile)(process.execPath, ['bench/start.mjs', 'main.ts', 'growth', ...args]);
}

const ran = (rows: number): TrialResult => ({
  of: 'run',
  seconds: 2,
  beganAt: 0,
  endedAt: 2_000,
  cpuSeconds: 4,
  rows,
  checkpoints: 1,
  checkpointBytes: 2 ** 20,
});

describe('npm run bench -- growth', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mach-growth-test-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 }));

  it(
    'runs every case on the engine, and leaves figures, tables and plots',
    async () => {
      const json = join(folder, 'result.json');
      const small = ['--events', '4000', '--warm-up', '0', '--runs', '1', '--keys', '10,100', '--overlaps', '1,100'];
      const other = ['--partitions', '1,2', '--lengths', '2000,4000', '--query', 'q2', '--results', folder];
      const { stdout } = await bench(...small, ...other, '--json', json);
      const { measured } = JSON.parse(await readFile(json, 'utf8')) as GrowthResult;
      const rowsOf = (by: string, series: string) =>
        measured.filter((one) => one.by === by && one.series === series).map(({ rows }) => rows);
      expect(rowsOf('keys', 'count by key')).toEqual([10, 100]);
      expect(rowsOf('state', 'no checkpoint')).toEqual([10, 100]);
      // 46 of 50 events are bids.
      expect(rowsOf('partitions', 'q0')).toEqual([3_680, 3_680]);
      expect(rowsOf('events', 'q2')).toHaveLength(2);
      expect(rowsOf('overlap', 'q5')).toHaveLength(2);
      for (const { eventsPerSecond, cpuSecondsPerMillion } of measured) {
        expect(eventsPerSecond?.median).toBeGreaterThan(0);
        expect(cpuSecondsPerMillion?.median).toBeGreaterThan(0);
      }
      const files = await readdir(folder);
      for (const by of ['keys', 'overlap', 'partitions', 'state', 'events'])
        expect(files).toContain(`growth-${by}.svg`);
      const lines = (await readFile(join(folder, 'growth.jsonl'), 'utf8')).trimEnd().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as Measurement).size)).toEqual(measured.map(({ size }) => size));
      const table = await readFile(join(folder, 'growth.md'), 'utf8');
      expect(table).toContain('### By partitions in one process');
      expect(stdout).toContain('slope of CPU');
      expect(stdout.split('\n').slice(-3)).toEqual(['', `kept in ${folder}`, '']);
    },
    timeoutMs,
  );

  it(
    'measures what a key takes in memory',
    async () => {
      const given = readArguments(['--keys', '100000,200000', '--events', '1000']);
      const kept = given && casesOf('keys', given).find(({ trial }) => trial.of === 'memory');
      const result = await runTrial((kept as Case).trial);
      if (result.of !== 'memory') throw new Error('it was to measure memory');
      expect(result.keys).toBeGreaterThan(90_000);
      expect(result.keys).toBeLessThanOrEqual(100_001);
      // A key and a count take this much at the very least, wherever they stand.
      expect(result.bytesPerKey).toBeGreaterThan(8);
    },
    timeoutMs,
  );

  it.each([
    [['--by', 'size'], '--by is keys or overlap'],
    [['--by', 'overlap', '--keys', '10,100'], '--keys means something by keys, state, not by overlap'],
    [['--by', 'events,keys', '--checkpoint', '1s'], '--checkpoint means something by state, not by events, keys'],
    [['--by', 'events', '--events', '1000'], '--events means something by keys, overlap, partitions, state'],
    [['--keys', '1000'], '--keys are two sizes at least'],
    [['--keys', '1000,10'], 'from small to large'],
    [['--keys', '1,3000000'], '--keys is a whole number from 1 to 2000000'],
    [['--overlaps', '1,3'], 'does not cut 10000 ms into whole slides'],
    [['--partitions', '1,65'], '--partitions is a whole number from 1 to 64'],
    [['--lengths', '1,1e9'], '--lengths is a whole number'],
    [['--query', 'q6'], '--query is q0 or'],
    [['--checkpoint', '0s'], '--checkpoint is a time'],
    [['--runs', '0'], '--runs is a whole number from 1'],
  ])('refuses %j', (args, reason) => {
    expect(() => readArguments(args)).toThrow(reason);
  });

  it('takes what means something by one of those that are measured', () => {
    const args = ['--by', 'overlap,events', '--overlaps', '1,10', '--lengths', '10,20', '--query', 'q5', '--events=9'];
    expect(readArguments(args)).toMatchObject({ overlaps: [1, 10], lengths: [10, 20], queries: ['q5'], events: 9 });
  });

  it(
    'ends with code 2 after wrong use, and says how it is used',
    async () => {
      await expect(bench('--by', 'size')).rejects.toMatchObject({ code: 2 });
      expect((await bench('--help')).stdout).toContain('--overlaps 1,2,5,10,20,50,100');
    },
    timeoutMs,
  );
});

describe('what is measured', () => {
  const given = readArguments(['--partitions', '1,2']);
  const cases = given ? casesOf('partitions', given) : [];

  it('is wrong when the rows are others', () => {
    const right = cases.map(({ series }) => [ran(series === 'q0' ? 7 : 9), ran(series === 'q0' ? 7 : 9)]);
    expect(() => checkRows(cases, right)).not.toThrow();
    const wrong = right.map((results, at) => (at === cases.length - 1 ? [ran(9), ran(8)] : results));
    expect(() => checkRows(cases, wrong)).toThrow('wrong rows: 9 of (partitions, count by key, 1), 8 of');
  });

  it('is put together over the runs', () => {
    const of = cases[0] as Case;
    const trial = { ...of.trial, stream: { ...of.trial.stream, events: 1_000_000 } };
    const results = [ran(7), { ...ran(7), seconds: 4 }, { ...ran(7), seconds: 1 }];
    expect(measurementOf({ ...of, trial }, results)).toMatchObject({
      eventsPerSecond: { least: 250_000, median: 500_000, most: 1_000_000 },
      cpuSecondsPerMillion: { least: 4, median: 4, most: 4 },
      rows: 7,
    });
    expect(measurementOf(of, [{ of: 'memory', keys: 5, bytesPerKey: 90 }])).toMatchObject({
      keys: 5,
      bytesPerKey: { median: 90 },
    });
  });
});

describe('the page of a folder', () => {
  it('has the newest run of each thing that grows, in whatever parts they came', () => {
    const machine = { cpu: 'a processor', cores: 2, node: 'v20', git: 'abc' } as KeptMeasurement['machine'];
    const kept = (by: Measurement['by'], at: string, rate: number): KeptMeasurement => ({
      benchmark: 'growth',
      at,
      machine,
      load_before: 0,
      runs: 1,
      by,
      series: 'q0',
      size: 1,
      events: 1,
      eventsPerSecond: spreadOf([rate]),
      cpuSecondsPerMillion: spreadOf([1]),
      rows: 1,
    });
    const page = growthPage([
      kept('partitions', '2026-01-01', 1_000_000),
      kept('events', '2026-01-02', 2_000_000),
      kept('partitions', '2026-01-03', 3_000_000),
    ]);
    expect(page.match(/### By .*/g)).toEqual(['### By partitions in one process', '### By length of the stream']);
    expect(page.match(/\| q0 \| 1 \| [^|]*/g)).toEqual(['| q0 | 1 | 3,000 ', '| q0 | 1 | 2,000 ']);
    expect(page.match(/2026-01-0\d/g)).toEqual(['2026-01-03', '2026-01-02']);
  });
});

describe('growth', () => {
  const points = (costOf: (size: number) => number) => [1, 10, 1_000].map((size) => ({ size, cost: costOf(size) }));

  it('is the slope on logarithmic axes', () => {
    expect(slopeOf(points(() => 5))).toBeCloseTo(0, 9);
    expect(slopeOf(points((size) => 3 * size))).toBeCloseTo(1, 9);
    expect(slopeOf(points((size) => 7 / Math.sqrt(size)))).toBeCloseTo(-0.5, 9);
  });

  const measured = (size: number, rate: number): Measurement => ({
    by: 'events',
    series: 'q2 < q3',
    size,
    events: size,
    eventsPerSecond: spreadOf([rate * 0.9, rate, rate * 1.1]),
    cpuSecondsPerMillion: spreadOf([1e6 / rate]),
    rows: 3,
  });

  it('says whether the target is met', () => {
    expect(keptRate([measured(10, 100), measured(100, 89)])).toBeCloseTo(0.89, 9);
    expect(growthTable('events', [measured(10, 100), measured(100, 89)])).toContain(
      '89 % of those at the smallest (target: at least 90 %: NOT MET)',
    );
    expect(growthTable('events', [measured(10, 100), measured(100, 90)])).toContain('90 %: met');
    const memory = (bytes: number): Measurement => ({
      by: 'keys',
      series: 'memory',
      size: 9,
      events: 9,
      keys: 9,
      bytesPerKey: spreadOf([bytes]),
    });
    expect(growthTable('keys', [memory(199)])).toContain('at the largest): met');
    expect(growthTable('keys', [memory(200)])).toContain('at the largest): NOT MET');
    expect(Object.keys(growthPlots('keys', [memory(200)]))).toEqual(['growth-keys.svg', 'growth-memory.svg']);
  });

  it('is drawn with a line for each series and a point for each size', () => {
    const svg = growthPlots('events', [measured(10, 100), measured(100, 89)])['growth-events.svg'] ?? '';
    expect(svg.match(/<polyline/g)).toHaveLength(1);
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain('q2 &lt; q3, 100: 89 (80.1 to 97.9) events/s');
    const places = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const [first, last] = places as [[number, number], [number, number]];
    expect(last[0]).toBeGreaterThan(first[0]);
    // Less stands lower.
    expect(last[1]).toBeGreaterThan(first[1]);
    expect(svg).not.toContain('NaN');
    expect(linePlot({ title: 'none', unit: 'events/s', sizes: 'keys' }, [])).toContain('</svg>');
  });
});
