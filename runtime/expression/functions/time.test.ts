import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../stream/schema.ts';
import { compileExpression } from '../index.ts';

const schema = defineSchema({ at: field.timestamp(), step: field.duration() });

function evaluate(source: string, at: number, step = 0): unknown {
  const compiled = compileExpression(source, schema);
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
  return compiled.evaluate({ at, step });
}

const zones = ['UTC', 'Asia/Ho_Chi_Minh', 'Europe/Paris', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
const time = fc.integer({ min: Date.UTC(1973, 0), max: Date.UTC(2060, 0) });

describe('functions of local time', () => {
  it('say what the calendar of the zone says', () => {
    fc.assert(
      fc.property(time, fc.constantFrom(...zones), (at, zone) => {
        const format = new Intl.DateTimeFormat('en-CA', {
          timeZone: zone,
          dateStyle: 'short',
          timeStyle: 'short',
          hourCycle: 'h23',
        });
        const weekday = new Intl.DateTimeFormat('en', { timeZone: zone, weekday: 'short' }).format(at);
        const [date, clock] = format.format(at).split(', ') as [string, string];
        const [hour, minute] = clock.split(':').map(Number);
        expect(evaluate(`date(at, "${zone}")`, at)).toBe(date);
        expect(evaluate(`hour(at, "${zone}")`, at)).toBe(hour);
        expect(evaluate(`minute(at, "${zone}")`, at)).toBe(minute);
        const [year, month, day] = date.split('-').map(Number);
        expect(evaluate(`year(at, "${zone}")`, at)).toBe(year);
        expect(evaluate(`month(at, "${zone}")`, at)).toBe(month);
        expect(evaluate(`day(at, "${zone}")`, at)).toBe(day);
        expect(evaluate(`format_time(at, "yyyy-MM-dd, HH:mm", "${zone}")`, at)).toBe(format.format(at));
        expect(evaluate(`format_time(at, "ss.SSS", "${zone}")`, at)).toBe(new Date(at).toISOString().slice(17, 23));
        const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
        expect(evaluate(`day_of_week(at, "${zone}")`, at)).toBe(days.indexOf(weekday) + 1);
      }),
      { numRuns: 200 },
    );
  });

  it('floor to a step that divides the time, at most one step before', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 1, max: 1e9 }), (at, step) => {
        const floored = evaluate('floor_to(at, step)', at, step) as number;
        expect(floored).toBeLessThanOrEqual(at);
        expect(floored).toBeGreaterThan(at - step);
        expect(floored % step === 0).toBe(true);
      }),
    );
    expect(evaluate('floor_to(at, step)', 5, 0)).toBeNull();
    expect(evaluate('floor_to(at, step)', 5, -1)).toBeNull();
  });

  it('floor to local days', () => {
    const at = Date.parse('2026-03-02T03:00:00+07:00');
    expect(evaluate('floor_to(at, duration("1d"), "Asia/Ho_Chi_Minh")', at)).toBe(
      Date.parse('2026-03-02T00:00:00+07:00'),
    );
  });

  it('stop at the ends of the calendar', () => {
    expect(evaluate('hour(at + duration("5000w"), "Asia/Ho_Chi_Minh")', 8.64e15)).toBe(7);
    expect(evaluate('hour(at, "Asia/Ho_Chi_Minh")', 9e15)).toBeNull();
  });

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-02T25:00:00Z',
    '2026-03-02T00:00:00',
    '2 March 2026',
  ])('do not take %s for a time', (text) => {
    expect(compileExpression(`timestamp("${text}")`, schema).ok).toBe(false);
  });

  it.each([
    ['format_time(at, "yyyy-mm-DD", "UTC")', '"DD" is none of yyyy, MM, dd, HH, mm, ss, SSS'],
    [`format_time(at, "HH'h", "UTC")`, 'a quote is not closed'],
    ['format_time(at, "HH:mm", "Asia/Saigong")', 'Asia/Saigong'],
    ['format_time(at, string(step), "UTC")', 'the form must be a text in quotes'],
  ])('%s: %s', (source, message) => {
    const compiled = compileExpression(source, schema);
    expect(compiled.ok).toBe(false);
    if (!compiled.ok) expect(compiled.problems[0]?.message).toContain(message);
  });
});
