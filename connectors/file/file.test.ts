import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { defineSchema, type Event, field, type SinkRow } from '../../runtime/stream/index.ts';
import { bindSink } from '../testing/bind.ts';
import { sinkRows, testSinkContext } from '../testing/sink-context.ts';
import { linesOf } from './format.ts';
import { fileSink, openFiles } from './index.ts';
import { pathOfEvent } from './path.ts';

const schema = defineSchema({
  day: field.string({ nullable: true }),
  minute: field.string(),
  patients: field.int({ nullable: true }),
  at: field.timestamp(),
});
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Path below the folder to text, of every file that a reader would see. */
function filesIn(path = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(join(folder, path)).sort()) {
    const at = join(path, name);
    if (statSync(join(folder, at)).isDirectory()) for (const [one, text] of filesIn(at)) files.set(one, text);
    else if (!name.startsWith('.')) files.set(at, readFileSync(join(folder, at), 'utf8'));
  }
  return files;
}

async function open(extra: object = {}) {
  const options = { from: 'visits', folder, path: '{day}/{minute}', ...extra };
  return bindSink(fileSink, options, schema).open(testSinkContext({ clock: virtualClock(0) }));
}

const at = Date.parse('2026-03-02T07:00:00+07:00');
const visit = (day: string | null, minute: string, patients: number | null): Event => ({ day, minute, patients, at });
const visits = [visit('2026-03-02', '00:00', 1), visit('2026-03-02', '00:01', null), visit('2026-03-02', '00:00', 3)];

describe('file', () => {
  it('writes each row below the folder of its fields', async () => {
    const sink = await open();
    expect(await sink.write(sinkRows(visits), 'visits/1-3')).toEqual([]);
    const files = [...filesIn()];
    expect(files.map(([path]) => path.replace(/-[0-9a-f]{12}\./, '-HASH.'))).toEqual([
      '2026-03-02/00.00/0000000000000001-0-0-HASH.csv',
      '2026-03-02/00.01/0000000000000002-0-0-HASH.csv',
    ]);
    expect(files[0]?.[1]).toBe(
      'day,minute,patients,at\r\n2026-03-02,00:00,1,2026-03-02T00:00:00.000Z\r\n2026-03-02,00:00,3,2026-03-02T00:00:00.000Z\r\n',
    );
    expect(files[1]?.[1]).toBe('day,minute,patients,at\r\n2026-03-02,00:01,,2026-03-02T00:00:00.000Z\r\n');
  });

  it('writes JSON lines, and only the fields that are wanted', async () => {
    const sink = await open({ format: 'ndjson', fields: ['patients', 'at'], path: '.' });
    await sink.write(sinkRows(visits.slice(0, 2)), 'visits/1-2');
    expect([...filesIn().values()]).toEqual([
      '{"patients":1,"at":"2026-03-02T00:00:00.000Z"}\n{"patients":null,"at":"2026-03-02T00:00:00.000Z"}\n',
    ]);
  });

  it('writes a batch that comes again once, also when the first time ended in the middle', async () => {
    const rows = sinkRows(visits);
    await (await open()).write(rows, 'visits/1-3');
    const whole = filesIn();
    // As a crash leaves it: one file not there, another only begun.
    const [first, second] = [...whole.keys()] as [string, string];
    rmSync(join(folder, first));
    await writeFile(
      join(
        folder,
        second.replace(/[^/]+$/, (name) => `.${name}.draft`),
      ),
      'beg',
    );
    await (await open()).write(rows, 'visits/1-3');
    expect(filesIn()).toEqual(whole);
  });

  it('keeps the files of a log apart from those of another', async () => {
    const sink = await open();
    await sink.write(sinkRows(visits), 'visits/one/1-3');
    await sink.write(sinkRows(visits), 'visits/two/1-3');
    expect(filesIn().size).toBe(4);
  });

  it('leads to no other place, whatever the values are', async () => {
    const sink = await open();
    const names = ['../../etc', '..', '.', '/', '', 'a:b*c', 'Đống Đa', null];
    await sink.write(sinkRows(names.map((day) => visit(day, '.hidden', 1))), 'visits/1-8');
    expect([...new Set([...filesIn().keys()].map((path) => path.split('/').slice(0, -1).join('/')))].sort()).toEqual(
      ['%2E.%2F..%2Fetc', '%2E.', '%2E', '%2F', '_', 'a.b%2Ac', '%C4%90%E1%BB%91ng%20%C4%90a']
        .map((name) => `${name}/%2Ehidden`)
        .sort(),
    );
  });

  it('refuses a row whose path is too long, and writes the others', async () => {
    const sink = await open();
    const rows = sinkRows([visit('x'.repeat(300), '00:00', 1), ...visits]);
    expect(await sink.write(rows, 'visits/1-4')).toMatchObject([{ row: { sequence: 1 }, code: 'MACH2702' }]);
    expect(filesIn().size).toBe(2);
  });

  it('says why it cannot write, and writes when it can', async () => {
    const sink = await open();
    await writeFile(join(folder, '2026-03-02'), 'a file in the place of the folder');
    await expect(sink.write(sinkRows(visits), 'visits/1-3')).rejects.toMatchObject({ code: 'MACH2701' });
    rmSync(join(folder, '2026-03-02'));
    await mkdir(join(folder, '2026-03-02'));
    await chmod(join(folder, '2026-03-02'), 0o755);
    await sink.write(sinkRows(visits), 'visits/1-3');
    expect(filesIn().size).toBe(2);
  });

  it('holds every row once, as it was, after any batches that come again', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 6 });
    const row = fc.record({
      day: fc.option(text),
      minute: text,
      patients: fc.option(fc.integer()),
      at: fc.constant(at),
    });
    const batches = fc.array(fc.tuple(fc.array(row, { minLength: 1, maxLength: 5 }), fc.boolean()), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, async (list) => {
        rmSync(folder, { recursive: true });
        await mkdir(folder);
        const sink = openFiles({
          folder,
          pathOf: pathOfEvent('{day}'),
          format: 'csv',
          fields: Object.keys(schema.fields),
          schema,
        });
        let sequence = 1;
        const all: Event[] = [];
        for (const [events, again] of list) {
          const from = sequence;
          const rows: SinkRow[] = sinkRows(events).map((one) => ({ ...one, sequence: sequence++ }));
          for (let time = 0; time < (again ? 2 : 1); time++) await sink.write(rows, `visits/${from}-${sequence - 1}`);
          all.push(...events);
        }
        // An empty cell that is not quoted is an absent value.
        const cast = (value: string, { quoting, header }: { quoting: boolean; header: boolean }) =>
          header || quoting || value !== '' ? value : null;
        const written = [...filesIn().values()].flatMap((file) => parse(file, { columns: true, cast }) as Event[]);
        const shown = (event: Event) =>
          JSON.stringify([event.day, event.minute, event.patients === null ? null : String(event.patients)]);
        expect(written.map(shown).sort()).toEqual(all.map(shown).sort());
      }),
      { numRuns: 50 },
    );
  });

  it('writes every time as JavaScript does', async () => {
    const times = fc.array(
      fc.integer({ min: -1e12, max: 4e12 }).chain((one) => fc.constantFrom(one, one + 7, one + 0.5)),
    );
    fc.assert(
      fc.property(times, (list) => {
        const events = list.map((time) => ({ at: time }));
        const text = Buffer.from(linesOf(events, { format: 'csv', fields: ['at'], schema })).toString();
        expect(text.split('\r\n').slice(1, -1)).toEqual(list.map((time) => new Date(time).toISOString()));
      }),
    );
  });

  it('writes any text as UTF-8, however long', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('Bệnh viện \u{1f3e5} '.repeat(10_000))));
    fc.assert(
      fc.property(texts, (list) => {
        const events = list.map((minute) => ({ minute }));
        const expected = list.map((minute) => `${JSON.stringify({ minute })}\n`).join('');
        const written = Buffer.from(linesOf(events, { format: 'ndjson', fields: ['minute'], schema }));
        expect(written.equals(Buffer.from(expected))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [{ path: '{dya}' }, '"dya" is not a field'],
    [{ fields: ['nothing'] }, '"nothing" is not a field'],
    [{ path: 'a/../..' }, 'leads out of the folder'],
  ])('says what is wrong with %j', (extra, message) => {
    expect(() => bindSink(fileSink, { from: 'visits', folder, ...extra }, schema)).toThrow(message);
  });
});
