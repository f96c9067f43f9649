import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import {
  defineSchema,
  type Event,
  EventColumns,
  field,
  type SinkRow,
  type SinkRows,
  type SinkRun,
} from '../../runtime/stream/index.ts';
import { bindSink } from '../testing/bind.ts';
import { sinkRows, testSinkContext } from '../testing/sink-context.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { type LineOptions, lineWriter } from './format.ts';
import { fileSink, openFiles } from './index.ts';
import { pathsOf } from './path.ts';

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

const draftOf = (path: string, writer: string) => join(folder, dirname(path), `.${basename(path)}.${writer}.draft`);

const draftsIn = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.draft'));

const settingsOf = (path: string) => {
  const fields = Object.keys(schema.fields);
  const format = 'csv';
  return {
    folder,
    pathsOf: pathsOf(path),
    format,
    lines: lineWriter({ format, fields, schema, header: true }),
  } as const;
};

async function open(extra: object = {}) {
  const options = { from: 'visits', folder, path: '{day}/{minute}', ...extra };
  return bindSink(fileSink, options, schema).open(testSinkContext({ clock: virtualClock(0) }));
}

function linesOf(events: readonly Event[], options: Omit<LineOptions, 'header' | 'schema'>, header = true): string {
  const lines = new ByteBuffer();
  const writer = lineWriter({ schema, header, ...options });
  writer.begin(lines);
  writer.add(events, [...events.keys()], lines);
  return Buffer.from(lines.written).toString();
}

/** Short and long, with what csv and JSON write otherwise than it is, and halves of characters beyond U+FFFF. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '\\', '\u0007', 'a', ' ', 'ệ', '\u{1f3e5}'), maxLength: 60 }),
  fc.constant('Bệnh viện \u{1f3e5} '.repeat(10_000)),
);

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

  it('writes the same of columns as of rows', async () => {
    const row = fc.record({
      day: fc.constantFrom('2026-03-02', '2026-03-03'),
      minute: fc.string(),
      patients: fc.option(fc.nat()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), fc.nat({ max: 20 }), async (list, cut) => {
        const rows = sinkRows(list.map((one) => ({ ...one, at })));
        const writtenOf = async (given: SinkRows) => {
          rmSync(folder, { recursive: true });
          await mkdir(folder);
          await (await open()).write(given, 'visits/1-3');
          return filesIn();
        };
        const names = Object.keys(schema.fields);
        const runs = [rows.slice(0, cut), rows.slice(cut)].map((own): SinkRun => {
          const columns = names.map((name) => own.map(({ event }) => event[name]));
          const events = new EventColumns(names, columns, { length: own.length });
          return { events, rowAt: (place) => own[place] as SinkRow };
        });
        expect(await writtenOf(Object.assign([...rows], { runs }))).toEqual(await writtenOf(rows));
      }),
      { numRuns: 50 },
    );
  });

  it('writes a batch that comes again once, also when the first time ended in the middle', async () => {
    const rows = sinkRows(visits);
    await (await open()).write(rows, 'visits/1-3');
    const whole = filesIn();
    // As a crash leaves it: one file not there, another only begun.
    const [first, second] = [...whole.keys()] as [string, string];
    rmSync(join(folder, first));
    await writeFile(draftOf(second, 'who-died'), 'beg');
    await (await open()).write(rows, 'visits/1-3');
    expect(filesIn()).toEqual(whole);
    expect(draftsIn()).toEqual([]);
  });

  it('writes whole files also while a writer that was taken for dead is still at them', async () => {
    const rows = sinkRows(visits);
    await (await open()).write(rows, 'visits/1-3');
    const whole = filesIn();
    const sinks = await Promise.all([open(), open(), open()]);
    // One removes what it takes for left over; the other then tries again.
    const writeUntilDone = async (sink: (typeof sinks)[number]): Promise<unknown> =>
      sink.write(rows, 'visits/1-3').catch(() => writeUntilDone(sink));
    for (let turn = 0; turn < 20; turn++) {
      await Promise.all(sinks.map(writeUntilDone));
      expect(filesIn()).toEqual(whole);
    }
    expect(draftsIn()).toEqual([]);
  });

  it('keeps the files of a log apart from those of another', async () => {
    const sink = await open();
    await sink.write(sinkRows(visits), 'visits/one/1-3');
    await sink.write(sinkRows(visits), 'visits/two/1-3');
    expect(filesIn().size).toBe(4);
  });

  it('leads to no other place, whatever the values are', async () => {
    const sink = await open();
    const names = ['../../etc', '..', '.', '/', '', 'a:b*c', 'Đống Đa', null, 'x\ud800y'];
    await sink.write(sinkRows(names.map((day) => visit(day, '.hidden', 1))), 'visits/1-8');
    expect([...new Set([...filesIn().keys()].map((path) => path.split('/').slice(0, -1).join('/')))].sort()).toEqual(
      ['%2E.%2F..%2Fetc', '%2E.', '%2E', '%2F', '_', 'a.b%2Ac', '%C4%90%E1%BB%91ng%20%C4%90a', 'x%EF%BF%BDy']
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

  it('says that the disk is full, leaves nothing of the file, and writes it when there is room', async () => {
    const rows = sinkRows(visits);
    await (await open()).write(rows, 'visits/1-3');
    const whole = filesIn();
    for (const path of whole.keys()) rmSync(join(folder, path));
    const sink = openFiles(settingsOf('{day}/{minute}'), 'writer');
    await sink.write(sinkRows([visit('2026-03-02', '00:00', 7), visit('2026-03-02', '00:01', 7)]), 'visits/4-5');
    const others = filesIn();
    // What is written there finds no room.
    for (const path of whole.keys()) symlinkSync('/dev/full', draftOf(path, 'writer'));
    await expect(sink.write(rows, 'visits/1-3')).rejects.toMatchObject({
      code: 'MACH2701',
      message: expect.stringContaining('ENOSPC'),
    });
    expect(filesIn()).toEqual(others);
    expect(draftsIn()).toEqual([]);
    await sink.write(rows, 'visits/1-3');
    expect(filesIn()).toEqual(new Map([...whole, ...others].sort()));
  });

  it('makes a folder again that somebody has removed', async () => {
    const sink = await open();
    await sink.write(sinkRows(visits), 'visits/1-3');
    const whole = filesIn();
    rmSync(join(folder, '2026-03-02'), { recursive: true });
    await expect(sink.write(sinkRows(visits), 'visits/1-3')).rejects.toMatchObject({ code: 'MACH2701' });
    await sink.write(sinkRows(visits), 'visits/1-3');
    expect(filesIn()).toEqual(whole);
  });

  it('writes small and large batches in turns with the same buffers', async () => {
    const sink = await open({ path: '{minute}', header: false, fields: ['patients'] });
    for (const count of [1, 20_000, 2]) {
      const events = Array.from({ length: 2 * count }, (_, index) => visit(null, String(index % 2), index));
      await sink.write(sinkRows(events), `visits/${count}`);
    }
    const numbers = [...filesIn().values()].map((text) => text.split('\r\n').slice(0, -1).map(Number));
    const every = (count: number, from: number) => Array.from({ length: count }, (_, index) => 2 * index + from);
    const wanted = [1, 20_000, 2].flatMap((count) => [every(count, 0), every(count, 1)]);
    const byLength = (one: number[], other: number[]) => one.length - other.length || Number(one[0]) - Number(other[0]);
    expect(numbers.sort(byLength)).toEqual(wanted.sort(byLength));
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
        const sink = openFiles(settingsOf('{day}'));
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
        const text = linesOf(events, { format: 'csv', fields: ['at'] });
        expect(text.split('\r\n').slice(1, -1)).toEqual(list.map((time) => new Date(time).toISOString()));
      }),
    );
  });

  it('writes JSON lines as JavaScript does', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, -0, 2 ** 31, 2 ** 53, '\ud83c'),
      texts,
    );
    fc.assert(
      fc.property(fc.array(fc.record({ minute: value, patients: value, 'a "name"': value })), (events) => {
        const expected = events.map((event) => `${JSON.stringify(event)}\n`).join('');
        expect(linesOf(events, { format: 'ndjson', fields: ['minute', 'patients', 'a "name"'] })).toBe(expected);
      }),
    );
  });

  it('writes csv that is read as it was, and quotes nothing without need', () => {
    const value = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.boolean(), texts);
    fc.assert(
      fc.property(fc.array(fc.record({ minute: value, patients: value })), (events) => {
        const written = linesOf(events, { format: 'csv', fields: ['minute', 'patients'] }, false);
        const cells = events.map(({ minute, patients }) => [minute, patients].map(String));
        expect(parse(written, { record_delimiter: '\r\n' })).toEqual(cells);
        const quotedCells = cells.flat().filter((cell) => cell === '' || /[",\r\n]/.test(cell));
        const plain = cells.flat().filter((cell) => !quotedCells.includes(cell));
        const quotes = quotedCells.map((cell) => 2 + 2 * (cell.split('"').length - 1));
        expect(written.split('"').length - 1).toBe(quotes.reduce((sum, count) => sum + count, 0));
        for (const cell of plain) expect(written).toContain(cell);
      }),
    );
  });

  it('writes lists and records as JSON in a cell', () => {
    const event = { minute: ['a', 'b'], patients: { beds: 2 } };
    expect(linesOf([event], { format: 'csv', fields: ['minute', 'patients'] })).toBe(
      'minute,patients\r\n"[""a"",""b""]","{""beds"":2}"\r\n',
    );
    expect(linesOf([event], { format: 'ndjson', fields: ['patients', 'minute'] })).toBe(
      '{"patients":{"beds":2},"minute":["a","b"]}\n',
    );
  });

  it('leaves the header away where it is not wanted', async () => {
    const sink = await open({ header: false, fields: ['minute', 'patients'], path: '.' });
    await sink.write(sinkRows(visits), 'visits/1-3');
    expect([...filesIn().values()]).toEqual(['00:00,1\r\n00:01,\r\n00:00,3\r\n']);
  });

  it.each([
    [{ path: '{dya}' }, '"dya" is not a field'],
    [{ fields: ['nothing'] }, '"nothing" is not a field'],
    [{ path: 'a/../..' }, 'leads out of the folder'],
    [{ format: 'ndjson', header: false }, 'only csv has a header'],
  ])('says what is wrong with %j', (extra, message) => {
    expect(() => bindSink(fileSink, { from: 'visits', folder, ...extra }, schema)).toThrow(message);
  });
});
