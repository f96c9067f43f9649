/** What the page makes of values, without a browser. */
import { describe, expect, it } from 'vitest';
import { display } from './display.ts';
import { fitPlaces, meet, roundSteps } from './map.ts';
import { inkOn, readable } from './palette.ts';
import type { FieldConfig, PanelForm } from './panel-form.ts';
import { healthOf, ratesOf } from './rates.ts';
import { calculations, seriesOf } from './series.ts';
import { kindOf, tablesOf } from './table.ts';
import { ageText, formatTime, parseTime, refreshMs } from './times.ts';
import { formatNumber } from './units.ts';

const zone = 'Asia/Ho_Chi_Minh';
const vi = { language: 'vi', zone } as const;
const now = Date.parse('2026-03-02T10:17:30+07:00');

describe('units', () => {
  it.each([
    [1234.5, 'none', '1.235'],
    [0.4567, 'percentunit', '45,7%'],
    [12.34, 'percent', '12,3%'],
    [1_234_567, 'short', '1,2 triệu'],
    [90, 's', '1,5 phút'],
    [0.25, 's', '250 ms'],
    [45, 'm', '45 phút'],
    [180, 'm', '3 giờ'],
    [0, 'm', '0 phút'],
    [5_400_000, 'ms', '90 phút'],
    [9_000_000, 'ms', '2,5 giờ'],
    [1_536, 'bytes', '1,5 KiB'],
    [8, 'suffix:  khoa', '8 khoa'],
    [8, 'suffix: %', '8%'],
    [8, 'trường hợp', '8 trường hợp'],
  ])('%d %s is %s', (value, unit, text) => {
    const { prefix, number, unit: shown } = formatNumber(value, { unit, language: 'vi' });
    expect(prefix + number + shown).toBe(text);
  });
});

describe('times', () => {
  it.each([
    ['now', now],
    ['now-6h', now - 6 * 3_600_000],
    ['now/d', Date.parse('2026-03-02T00:00:00+07:00')],
    ['now-1d/d', Date.parse('2026-03-01T00:00:00+07:00')],
    ['now/w', Date.parse('2026-03-02T00:00:00+07:00')],
    ['2026-03-02T00:00:00Z', Date.parse('2026-03-02T00:00:00Z')],
    ['1772400000000', 1_772_400_000_000],
    ['soon', undefined],
    ['now-6', undefined],
  ])('%s', (text, expected) => {
    expect(parseTime(text, now, { zone })).toBe(expected);
  });

  it('rounds the end up', () => {
    expect(parseTime('now/d', now, { zone, end: true })).toBe(Date.parse('2026-03-03T00:00:00+07:00') - 1);
  });

  it('are those of the city', () => {
    expect(formatTime(now, { ...vi, style: 'moment' })).toBe('10:17 02/03');
    expect(formatTime(now, { ...vi, style: 'second' })).toBe('10:17:30');
    expect([ageText(45_000, 'vi'), ageText(12 * 60_000, 'vi'), ageText(5 * 3_600_000, 'en')]).toEqual([
      '45 giây',
      '12 phút',
      '5 h',
    ]);
    expect([refreshMs('10s'), refreshMs('1m'), refreshMs('off'), refreshMs(false)]).toEqual([
      10_000,
      60_000,
      undefined,
      undefined,
    ]);
  });
});

describe('a value', () => {
  const thresholds = {
    steps: [
      { value: null, color: 'green' },
      { value: 60, color: '#F2E14C' },
      { value: 100, color: 'red' },
    ],
  };

  it('has the colour of its step, and a sign beside it', () => {
    const config: FieldConfig = { thresholds, unit: 'suffix: điểm' };
    const shown = [10, 60, 147.2].map((value) => display(value, 'number', config, vi));
    expect(shown.map(({ text, shape, step }) => [text, shape, step])).toEqual([
      ['10 điểm', '●', 0],
      ['60 điểm', '▲', 1],
      ['147 điểm', '◆', 2],
    ]);
    expect(new Set(shown.map(({ color }) => color)).size).toBe(3);
  });

  it('that is not known has no colour, and says so', () => {
    expect(display(null, 'number', { thresholds }, vi)).toMatchObject({
      isMissing: true,
      color: undefined,
      shape: '',
      main: 'chưa rõ',
    });
    expect(display(null, 'number', { thresholds, noValue: 'im lặng' }, vi).main).toBe('im lặng');
  });

  it('has the word that stands for it', () => {
    const mappings: FieldConfig['mappings'] = [
      { type: 'value', options: { 4: { text: '4 · quá tải', color: '#C2185B', index: 3 } } },
      { type: 'special', options: { match: 'null+nan', result: { text: 'chưa biết', color: '#8A8F98' } } },
      { type: 'range', options: { from: 0, to: 1, result: { text: 'ít' } } },
    ];
    expect(display(4, 'number', { mappings }, vi)).toMatchObject({ text: '4 · quá tải', color: '#C2185B', shape: '■' });
    expect(display(null, 'number', { mappings }, vi)).toMatchObject({ text: 'chưa biết', isMissing: false });
    expect(display(0.5, 'number', { mappings }, vi).text).toBe('ít');
  });

  it('stands on its colour in an ink that can be read', () => {
    expect([inkOn('#F2E14C'), inkOn('#C2185B')]).toEqual(['#101418', '#ffffff']);
    expect(readable('#C2185B')).not.toBe(readable('#F2E14C'));
  });
});

describe('an answer', () => {
  const panel = (more: Partial<PanelForm> = {}): PanelForm => ({
    id: 1,
    type: 'table',
    title: '',
    gridPos: { x: 0, y: 0, w: 1, h: 1 },
    targets: [],
    ...more,
  });
  const frame = {
    refId: 'A',
    format: 0,
    columns: [
      { name: 'time', type: "DateTime64(3, 'UTC')" },
      { name: 'hospital', type: 'LowCardinality(String)' },
      { name: 'census', type: 'Nullable(UInt32)' },
    ],
    rows: [
      ['2026-03-02T00:01:00.000Z', 'H2', 7],
      ['2026-03-02T00:00:00.000Z', 'H1', 5],
      ['2026-03-02T00:01:00.000Z', 'H1', null],
    ],
  };

  it('has kinds by the types of ClickHouse', () => {
    expect(
      [
        'DateTime',
        'Date32',
        'UInt64',
        'Nullable(Float64)',
        'Decimal(9, 2)',
        'Bool',
        'Enum8',
        'LowCardinality(Nullable(String))',
      ].map(kindOf),
    ).toEqual(['time', 'time', 'number', 'number', 'number', 'boolean', 'string', 'string']);
  });

  it('over time is a series for each text beside the number', () => {
    const { times, series } = seriesOf(tablesOf(panel(), [frame]));
    expect(times.map((ms) => new Date(ms).toISOString().slice(11, 16))).toEqual(['00:00', '00:01']);
    expect(series.map(({ name, values }) => [name, values])).toEqual([
      ['H2', [undefined, 7]],
      ['H1', [5, null]],
    ]);
    expect(calculations.lastNotNull?.([5, null])).toBe(5);
  });

  it('has the looks that the board gives single columns', () => {
    const [table] = tablesOf(
      panel({
        fieldConfig: {
          defaults: { unit: 'short', custom: { width: 1 } },
          overrides: [
            {
              matcher: { id: 'byName', options: 'census' },
              properties: [
                { id: 'unit', value: 'none' },
                { id: 'custom.cellOptions', value: { type: 'gauge' } },
              ],
            },
            { matcher: { id: 'byRegexp', options: '/^hos/' }, properties: [{ id: 'custom.hidden', value: true }] },
          ],
        },
        transformations: [
          { id: 'organize', options: { excludeByName: { time: true }, renameByName: { hospital: 'hospital' } } },
        ],
      }),
      [frame],
    );
    expect(table?.columns.map(({ name, config }) => [name, config.unit, config.custom])).toEqual([
      ['hospital', 'short', { width: 1, hidden: true }],
      ['census', 'none', { width: 1, cellOptions: { type: 'gauge' } }],
    ]);
    expect(() => tablesOf(panel({ transformations: [{ id: 'magic' }] }), [frame])).toThrow('magic');
  });
});

describe('the map', () => {
  it('holds all places, north above', () => {
    const places = [
      { latitude: 10.7, longitude: 106.6 },
      { latitude: 10.9, longitude: 106.8 },
    ];
    const projection = fitPlaces(places, { width: 800, height: 600 });
    const [south, north] = places.map((place) => projection.at(place));
    for (const { x, y } of [south, north] as { x: number; y: number }[]) {
      expect(x > 0 && x < 800 && y > 0 && y < 600).toBe(true);
    }
    expect(north?.y).toBeLessThan(south?.y ?? 0);
    // A degree of latitude is 111 km.
    expect(((south?.y ?? 0) - (north?.y ?? 0)) * projection.kmPerUnit).toBeCloseTo(22.3, 1);
    expect(roundSteps(10.68, 10.93, 5)).toEqual([10.7, 10.75, 10.8, 10.85, 10.9]);
    expect(meet({ x: 0, y: 0, width: 2, height: 2 }, { x: 1, y: 1, width: 2, height: 2 })).toBe(true);
  });
});

describe('how a node is', () => {
  const counts = { in: 0, out: 0, late: 0, dropped: 0, dead: 0, busyMs: 0, backpressuredMs: 0 };
  const node = { ...counts, kind: 'operator', lagMs: 1_000, idle: false, watermark: 1, queue: 0 };
  const bounds = { lagMs: 300_000, backpressured: 0.2 };

  it('is told by rates between two looks; counts of a new process tell nothing', () => {
    const later = { ...counts, in: 50, out: 20, busyMs: 500, backpressuredMs: 1_000 };
    expect(ratesOf(counts, later, 2_000)).toEqual({ in: 25, out: 10, busy: 0.25, backpressured: 0.5 });
    expect(ratesOf(later, counts, 2_000)).toEqual(ratesOf(undefined, counts, 2_000));
  });

  it('is not well because it is silent', () => {
    const rates = ratesOf(undefined, counts, 0);
    const health = (more: object) => healthOf({ ...node, ...more }, rates, bounds).health;
    expect([
      health({}),
      health({ late: 1 }),
      health({ lagMs: 400_000 }),
      health({ idle: true }),
      health({ watermark: null, lagMs: null }),
    ]).toEqual(['well', 'watch', 'trouble', 'silent', 'silent']);
    expect(healthOf(node, { ...rates, backpressured: 0.5 }, bounds)).toEqual({
      health: 'trouble',
      reasons: ['backpressure'],
    });
  });
});
