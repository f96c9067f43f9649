import { describe, expect, it } from 'vitest';
import { defineSchema, field } from '../../runtime/stream/index.ts';
import { bindSink } from '../testing/bind.ts';
import { sinkRows } from '../testing/sink-context.ts';
import { consoleSink, openConsole } from './index.ts';
import { displayWidth } from './table.ts';

const schema = defineSchema({
  hospital: field.string(),
  at: field.timestamp(),
  patients: field.int({ nullable: true }),
  wait: field.duration(),
  detail: field.json({ nullable: true }),
});
const at = Date.UTC(2026, 2, 2);
const events = [
  { hospital: 'Bệnh viện Thử', at, patients: 7, wait: 90_000, detail: null },
  { hospital: 'H2', at, patients: null, wait: 0, detail: { red: '\u001b[31m' } },
];

function collect(format: 'json' | 'table', fields: readonly string[] = Object.keys(schema.fields)) {
  let text = '';
  const sink = openConsole({ format, fields, schema }, async (more) => {
    text += more;
  });
  return { sink, text: () => text };
}

describe('console', () => {
  it('writes JSON lines', async () => {
    const { sink, text } = collect('json', ['hospital', 'patients']);
    expect(await sink.write(sinkRows(events), 't')).toEqual([]);
    expect(text()).toBe('{"hospital":"Bệnh viện Thử","patients":7}\n{"hospital":"H2","patients":null}\n');
    const whole = collect('json');
    await whole.sink.write(sinkRows(events.slice(0, 1)), 't');
    expect(JSON.parse(whole.text())).toEqual({ ...events[0], at: '2026-03-02T00:00:00.000Z' });
  });

  it('writes a table, aligned also where letters are written in parts, and nothing that moves the cursor', async () => {
    const { sink, text } = collect('table');
    await sink.write(sinkRows([{ ...events[0], hospital: 'Bệnh viện Thử'.normalize('NFD') }, events[1] ?? {}]), 't');
    expect(text().normalize('NFC')).toBe(
      [
        'hospital       at                        patients   wait  detail',
        '─────────────  ────────────────────────  ────────  ─────  ────────────────────',
        'Bệnh viện Thử  2026-03-02T00:00:00.000Z         7  1m30s  -',
        'H2             2026-03-02T00:00:00.000Z         -     0s  {"red":"\\u001b[31m"}',
        '',
      ].join('\n'),
    );
  });

  it('repeats the header only when a column grows', async () => {
    const { sink, text } = collect('table', ['hospital']);
    for (const hospital of ['H1', 'H2', 'a longer name', 'H3']) await sink.write(sinkRows([{ hospital }]), 't');
    expect(text().match(/^hospital/gm)).toHaveLength(2);
  });

  it('measures what the eye sees', () => {
    expect(displayWidth('Thử'.normalize('NFD'))).toBe(3);
    expect(displayWidth('病院')).toBe(4);
  });

  it('checks the names of its fields', () => {
    expect(() => bindSink(consoleSink, { from: 'x', fields: ['hospitl'] }, schema)).toThrow('"hospitl" is not a field');
    expect(() => bindSink(consoleSink, { from: 'x' }, schema)).not.toThrow();
  });
});
