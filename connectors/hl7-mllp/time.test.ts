import { describe, expect, it } from 'vitest';
import { formatTime, parseDate, parseTime, zoneOf } from './time.ts';

const hcm = 'Asia/Ho_Chi_Minh';
const iso = (text: string, zone: string | number = hcm) => {
  const time = parseTime(text, zone);
  return time === undefined ? undefined : new Date(time).toISOString();
};

describe('date-times', () => {
  it.each([
    ['2026', '2025-12-31T17:00:00.000Z'],
    ['202603', '2026-02-28T17:00:00.000Z'],
    ['20260302', '2026-03-01T17:00:00.000Z'],
    ['2026030207', '2026-03-02T00:00:00.000Z'],
    ['202603020730', '2026-03-02T00:30:00.000Z'],
    ['20260302073015', '2026-03-02T00:30:15.000Z'],
    ['20260302073015.1', '2026-03-02T00:30:15.100Z'],
    ['20260302073015.1239', '2026-03-02T00:30:15.123Z'],
    ['20260302073015123', '2026-03-02T00:30:15.123Z'],
    ['20260302073060', '2026-03-02T00:30:59.000Z'],
    ['20260302073015+0000', '2026-03-02T07:30:15.000Z'],
    ['20260302-0530', '2026-03-02T05:30:00.000Z'],
    ['198908181126+0215', '1989-08-18T09:11:00.000Z'],
  ])('%s is %s', (text, expected) => expect(iso(text)).toBe(expected));

  it.each([
    '',
    '26',
    '20261301',
    '20260230',
    '2026030225',
    '202603020760',
    '2026-03-02',
    '20260302 0730',
    'hôm nay',
    '00000000',
  ])('%j is none', (text) => expect(iso(text)).toBeUndefined());

  it('are in the zone of the message where they have none', () => {
    expect(iso('202603020730', 135)).toBe('2026-03-02T05:15:00.000Z');
    expect(zoneOf('198908181126+0215')).toBe(135);
    expect(zoneOf('198908181126-0330')).toBe(-210);
    expect(zoneOf('19890818')).toBeUndefined();
  });

  it('follow changes of the clocks', () => {
    expect(iso('20260115120000', 'Europe/Paris')).toBe('2026-01-15T11:00:00.000Z');
    expect(iso('20260715120000', 'Europe/Paris')).toBe('2026-07-15T10:00:00.000Z');
    expect(iso('20260329015900', 'Europe/Paris')).toBe('2026-03-29T00:59:00.000Z');
    expect(iso('20260329030000', 'Europe/Paris')).toBe('2026-03-29T01:00:00.000Z');
  });

  it('give dates as written', () => {
    expect(parseDate('198808181126+0215')).toBe('1988-08-18');
    expect(parseDate('198808')).toBe('1988-08');
    expect(parseDate('1988')).toBe('1988');
    expect(parseDate('19880230')).toBeUndefined();
  });

  it('are written and read back', () => {
    const time = Date.UTC(2026, 2, 2, 0, 30, 15, 123);
    expect(formatTime(time, 420)).toBe('20260302073015.123+0700');
    expect(parseTime(formatTime(time, -210), hcm)).toBe(time);
  });
});
