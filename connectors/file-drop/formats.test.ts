import { deflateRawSync } from 'node:zlib';
import exceljs from 'exceljs';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { bindSource } from '../testing/bind.ts';
import { makeNameMatcher, SettleWatch } from './folder.ts';
import { fileDrop } from './index.ts';
import { originOfName } from './take.ts';
import { makeTimeParser } from './times.ts';
import { checkZip } from './zip.ts';

const schema = {
  hospital: { type: 'string', column: 'Bệnh viện' },
  at: { type: 'timestamp', format: 'dd/MM/yyyy HH:mm' },
  beds: 'int?',
  open: 'bool?',
};

async function decode(content: string | Buffer, options: object) {
  const bound = bindSource(fileDrop, { folder: 'x', schema, ...options });
  const { events, deadLetters } = (await bound.decode?.(Buffer.from(content), 'f')) ?? { events: [], deadLetters: [] };
  return {
    events: events.map(({ event }) => event),
    lines: events.map(({ line }) => line),
    dead: deadLetters.map(({ code, place, reason }) => [code, place.line, reason] as const),
  };
}

const time = Date.UTC(2026, 2, 2, 0, 30);
const good = { hospital: 'Bệnh viện Thử', at: time, beds: 20, open: true };

describe('csv', () => {
  it('reads other delimiters, orders, extra columns and missing nullable ones', async () => {
    const { events, dead } = await decode('x;at; Bệnh viện ;beds\r\n1;02/03/2026 07:30;Bệnh viện Thử;20\r\n', {
      format: 'csv',
      delimiter: ';',
    });
    expect(dead).toEqual([]);
    expect(events).toEqual([{ ...good, open: null }]);
  });

  it('reads Windows-1258 and UTF-16, and letters written in parts, as the same text', async () => {
    const text = 'Bệnh viện,at,beds,open\nBệnh viện Thử,02/03/2026 07:30,20,có\n';
    const windows = iconv.encode(
      text
        .normalize('NFD')
        .replace(/[\u0302\u0306\u031b]/g, (c) => c)
        .normalize('NFC')
        .replace(/[ệử]/g, (c) => ({ ệ: 'ê\u0323', ử: 'ư\u0309' })[c] ?? c),
      'windows-1258',
    );
    expect((await decode(windows, { format: 'csv', encoding: 'windows-1258' })).events).toEqual([good]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    expect((await decode(utf16, { format: 'csv' })).events).toEqual([good]);
    expect((await decode(text.normalize('NFD'), { format: 'csv' })).events).toEqual([good]);
  });

  it('reads UTF-16 of either order by its mark, and says where a text without one cannot be UTF-8', async () => {
    const text = 'Bệnh viện,at,beds,open\r\nBệnh viện Thử,02/03/2026 07:30,20,có\r\n';
    const marked = Buffer.from(`\uFEFF${text}`, 'utf16le');
    expect((await decode(marked, { format: 'csv' })).events).toEqual([good]);
    expect((await decode(Buffer.from(marked).swap16(), { format: 'csv' })).events).toEqual([good]);
    const { dead } = await decode(Buffer.from('hospital', 'utf16le'), { format: 'csv' });
    expect(dead).toEqual([['MACH2207', undefined, 'the text is not valid utf-8, near byte 1']]);
  });

  it('refuses lines that end with CR alone: all of them would be the header', async () => {
    const schema = { hospital: 'string', note: 'string?' };
    const { dead } = await decode('hospital,note\rH1,x\r', { format: 'csv', schema });
    expect(dead[0]?.[0]).toBe('MACH2206');
    const quoted = await decode('hospital,"not\r\ne"\r\nH1,x\r\n', { format: 'csv', schema });
    expect(quoted).toEqual({ events: [{ hospital: 'H1', note: null }], lines: [3], dead: [] });
  });

  it('names no cell of a file without a header, where some point at a person', async () => {
    const personal = { name: { type: 'string', privacy: 'direct' }, phone: 'string' };
    const { dead } = await decode('Nguyễn Văn Thử,0900000000\n', { format: 'csv', schema: personal });
    expect(dead).toEqual([['MACH2205', undefined, 'the header has no column "name"; it has: 2 other names']]);
    const other = await decode('name;phone\nNguyễn Văn Thử;0900000000\n', { format: 'csv', schema: personal });
    expect(other.dead[0]?.[2]).toContain('option delimiter');
  });

  it('names a column that is there twice', async () => {
    const { dead } = await decode('Bệnh viện,at,at\n', { format: 'csv' });
    expect(dead[0]?.[2]).toContain('"at" is there twice');
  });

  it('gives back any table of texts that was written as CSV', async () => {
    const cell = fc.string({ unit: 'binary' }).map((text) =>
      // What stood apart may be composed once it stands together: so the form comes last.
      text
        .replace(/\r/g, '')
        .replace(/[\ud800-\udfff\ufeff]/g, '')
        .normalize('NFC'),
    );
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, end) => {
          const text = ['a,b', ...rows.map((cells) => cells.map(quoted).join(','))].join(end);
          const { events } = await decode(text, { format: 'csv', schema: { a: 'string?', b: 'string?' } });
          const kept = rows.filter(([a, b]) => a !== '' || b !== '');
          expect(events).toEqual(kept.map(([a, b]) => ({ a: a || null, b: b || null })));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('ndjson and json', () => {
  const record = { 'Bệnh viện': 'Bệnh viện Thử', at: '02/03/2026 07:30', beds: 20, open: true, more: 1 };

  it('reads one object on each line', async () => {
    const lines = [JSON.stringify(record), '', '{"at":', '[]', JSON.stringify({ ...record, beds: '1,5' })];
    const { events, dead } = await decode(lines.join('\r\n'), { format: 'ndjson' });
    expect(events).toEqual([good]);
    expect(dead.map(([code, line]) => [code, line])).toEqual([
      ['MACH2210', 3],
      ['MACH2210', 4],
      ['MACH2210', 5],
    ]);
  });

  it.each(['ndjson', 'json'])('quote nothing of what is no JSON: %s', async (format) => {
    for (const text of ['Nguyễn Văn Thử,0900000000', '{"at": "Nguyễn Văn Thử", "beds": Nguyễn}']) {
      const { dead } = await decode(text, { format });
      expect(dead).toHaveLength(1);
      expect(dead[0]?.[2]).toContain("Unexpected token 'N'");
      expect(dead[0]?.[2]).not.toContain('guyễn');
    }
  });

  it('reads a list of objects, and says when it is none', async () => {
    const list = [record, null, { ...record, at: null }, record];
    const { events, lines, dead } = await decode(JSON.stringify(list), { format: 'json' });
    expect(events).toEqual([good, good]);
    expect(lines).toEqual([1, 4]);
    expect(dead.map(([, line]) => line)).toEqual([2, 3]);
    expect((await decode('12', { format: 'json' })).dead[0]?.[0]).toBe('MACH2206');
    expect((await decode('[', { format: 'json' })).dead[0]?.[0]).toBe('MACH2206');
  });

  it.each(['ndjson', 'json'] as const)(
    'leave a text of a json field a text, and an empty text empty: %s',
    async (format) => {
      const values = ['12', 'text', '', '{"a":1}', 'null', 12, { a: '1' }, [1, '2'], false];
      const records = values.map((any) => ({ any, text: '', word: '', beds: '' }));
      const content =
        format === 'json' ? JSON.stringify(records) : records.map((one) => JSON.stringify(one)).join('\n');
      const { events, dead } = await decode(content, {
        format,
        schema: { any: 'json', text: 'string', word: { type: 'string', values: ['a'], nullable: true }, beds: 'int?' },
      });
      expect(dead).toEqual([]);
      expect(events).toEqual(values.map((any) => ({ any, text: '', word: null, beds: null })));
    },
  );

  it('refuse an absent value, and an empty origin: it says nobody', async () => {
    const lines = [{ hospital: 'H1', any: null }, { hospital: 'H1' }, { hospital: '', any: 1 }];
    const { events, dead } = await decode(lines.map((one) => JSON.stringify(one)).join('\n'), {
      format: 'ndjson',
      schema: { hospital: 'string', any: 'json' },
      origin: 'hospital',
    });
    expect(events).toEqual([]);
    expect(dead.map(([, , reason]) => reason)).toEqual([
      'row refused: any is empty, and the field is not nullable',
      'row refused: any is empty, and the field is not nullable',
      'row refused: hospital is empty, and says who reported',
    ]);
  });

  it('takes no inherited property for a column', async () => {
    const { dead } = await decode('{}', { format: 'ndjson', schema: { constructor: 'json' } });
    expect(dead).toHaveLength(1);
  });
});

async function workbook(fill: (book: exceljs.Workbook) => void): Promise<Buffer> {
  const book = new exceljs.Workbook();
  fill(book);
  return Buffer.from(await book.xlsx.writeBuffer());
}

describe('xlsx', () => {
  it('reads texts, numbers, dates as local time, formulas and rich text', async () => {
    const content = await workbook((book) => {
      book.addWorksheet('Trang đầu').addRow(['nothing']);
      const sheet = book.addWorksheet('Giường bệnh');
      sheet.addRow(['Bệnh viện', 'at', 'beds', 'open']);
      sheet.addRow(['Bệnh viện Thử', new Date(Date.UTC(2026, 2, 2, 7, 30)), 20, true]);
      sheet.addRow([]);
      sheet.addRow([
        { richText: [{ text: 'Bệnh viện ' }, { text: 'Thử' }] },
        '02/03/2026 07:30',
        { formula: '10*2', result: 20 },
        'có',
      ]);
      sheet.addRow(['H3', 'x', { error: '#N/A' }]);
    });
    const { events, lines, dead } = await decode(content, { format: 'xlsx', sheet: 'Giường bệnh' });
    expect(events).toEqual([good, good]);
    expect(lines).toEqual([2, 4]);
    expect(dead).toEqual([['MACH2210', 5, expect.stringContaining('beds "#N/A" is not a number')]]);
    expect((await decode(content, { format: 'xlsx', sheet: 'Không có' })).dead[0]?.[2]).toBe(
      'the workbook has no sheet "Không có"; it has: Trang đầu, Giường bệnh',
    );
  });

  it('refuses what is no workbook', async () => {
    expect((await decode('Bệnh viện,at\n', { format: 'xlsx' })).dead[0]?.[0]).toBe('MACH2208');
  });
});

/** A zip of one part whose headers may lie. */
function zipOf(data: Buffer, { unpacked = data.length, name = 'a', gap = Buffer.alloc(0) as Buffer } = {}): Buffer {
  const packed = deflateRawSync(data);
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(unpacked, 22);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30);
  const central = Buffer.alloc(46 + name.length);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(unpacked, 24);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt32LE(gap.length, 42);
  central.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(gap.length + local.length + packed.length, 16);
  return Buffer.concat([gap, local, packed, central, end]);
}

describe('checkZip', () => {
  const bounds = { bytesMax: 100_000, partsMax: 10 };
  const zeros = Buffer.alloc(1_000_000);
  it('takes an honest zip and refuses bombs, liars and what is hidden', async () => {
    await checkZip(zipOf(Buffer.from('hello')), bounds);
    await expect(checkZip(zipOf(zeros), bounds)).rejects.toThrow('unpacks to more than 100000 bytes');
    await expect(checkZip(zipOf(zeros, { unpacked: 10 }), bounds)).rejects.toThrow('lies about its size');
    await expect(checkZip(zipOf(Buffer.from('x'), { gap: zipOf(zeros) }), bounds)).rejects.toThrow('hide others');
    await expect(checkZip(zipOf(Buffer.from('x')).subarray(0, 40), bounds)).rejects.toThrow('not a zip');
  });

  it('never throws anything but a coded error', async () => {
    const honest = zipOf(Buffer.from('hello '.repeat(20)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const damaged = Buffer.from(honest);
          for (const [at, byte] of changes) damaged[at] = byte;
          await checkZip(damaged, bounds).catch((error: { code?: string }) => expect(error.code).toBe('MACH2208'));
        },
      ),
    );
  });
});

describe('times', () => {
  const parse = (text: unknown, format = 'iso', zone = 'Asia/Ho_Chi_Minh') =>
    makeTimeParser({ format, zone }, 'f')(text);
  const iso = (value: number | undefined) => (value === undefined ? undefined : new Date(value).toISOString());

  it('reads ISO 8601, patterns and counts', () => {
    expect(iso(parse('2026-03-02'))).toBe('2026-03-01T17:00:00.000Z');
    expect(iso(parse('2026-03-02 07:30'))).toBe('2026-03-02T00:30:00.000Z');
    expect(iso(parse('0001-01-01T00:00:00Z'))).toBe('0001-01-01T00:00:00.000Z');
    expect(iso(parse('0099-12-31T23:59:59Z'))).toBe('0099-12-31T23:59:59.000Z');
    expect(iso(parse('2026-03-02T07:30:15.1239Z'))).toBe('2026-03-02T07:30:15.123Z');
    expect(iso(parse('2026-03-02T07:30:15+0200'))).toBe('2026-03-02T05:30:15.000Z');
    expect(iso(parse('202603020730', 'yyyyMMddHHmm'))).toBe('2026-03-02T00:30:00.000Z');
    expect(iso(parse('1772409600', 'epoch-s'))).toBe('2026-03-02T00:00:00.000Z');
    expect(iso(parse(1772409600000, 'epoch-ms'))).toBe('2026-03-02T00:00:00.000Z');
    expect(iso(parse('2026-07-01 12:00', 'iso', 'Europe/Berlin'))).toBe('2026-07-01T10:00:00.000Z');
    expect(iso(parse('2026-01-01 12:00', 'iso', '-05:00'))).toBe('2026-01-01T17:00:00.000Z');
  });

  it('refuses days and hours that do not exist, and other forms', () => {
    for (const text of ['2026-02-30', '2026-03-02T25:00', '2026-3-2', '', 'x', '02/03/2026', '20260302'])
      expect(parse(text)).toBe(undefined);
    expect(() => makeTimeParser({ format: 'yyyy-MM', zone: 'Z' }, 'f')).toThrow('needs dd once');
    expect(() => makeTimeParser({ format: 'yyyy-MM-dd hh', zone: 'Z' }, 'f')).toThrow('has "h"');
    expect(() => makeTimeParser({ format: 'iso', zone: 'Asia/Saigonn' }, 'f')).toThrow('not a time zone');
  });
});

describe('names', () => {
  it('tells the origin from a name by leaving out what counts the files', () => {
    const cases = {
      'beds-h1-20260302.csv': 'beds-h1',
      'beds_h1_2026-03-02T070000Z.csv': 'beds-h1',
      'Bệnh viện Thử 12.xlsx': 'Bệnh-viện-Thử',
      '20260302.csv': '20260302',
    };
    for (const [name, origin] of Object.entries(cases)) expect(originOfName(name)).toBe(origin);
  });

  it('matches * and ? and nothing else', () => {
    const matches = makeNameMatcher('beds-?.(x)*.csv');
    expect(matches('beds-1.(x)y.CSV')).toBe(true);
    expect(matches('beds-12.(x).csv')).toBe(false);
    expect(matches('beds-1zxy.csv')).toBe(false);
  });

  it('is settled once nothing changed for long enough', () => {
    const watch = new SettleWatch(10);
    const file = (bytes: number) => ({ name: 'a', path: 'a', bytes, modifiedMs: 1 });
    expect(watch.settled([file(1)], 0)).toEqual({ ready: [], waiting: true });
    expect(watch.settled([file(2)], 9).ready).toEqual([]);
    expect(watch.settled([file(2)], 18).ready).toEqual([]);
    expect(watch.settled([file(2)], 19)).toEqual({ ready: [file(2)], waiting: false });
  });
});

describe('options', () => {
  const bind = (options: object) => () =>
    bindSource(fileDrop, { folder: 'x', format: 'csv', schema, ...options }, import.meta.dirname);
  it('say what is wrong with a schema', () => {
    expect(bind({ schema: 'absent.yaml' })).toThrow(/row schema absent.yaml is not usable: ENOENT/);
    expect(bind({ schema: { a: { type: 'string', format: 'iso' } } })).toThrow(
      'field a: only a timestamp has a "format"',
    );
    expect(bind({ schema: { a: 'integer' } })).toThrow(/a type is one of|Invalid input/);
    expect(bind({ time: 'hospital' })).not.toThrow();
    expect(bind({ origin: 'beds' })).toThrow('beds is nullable');
    expect(bind({ zone: 'Mars' })).toThrow('not a time zone');
  });

  it('read the schema of the bed files', () => {
    const { ports } = bindSource(
      fileDrop,
      {
        folder: 'x',
        format: 'csv',
        schema: '../../topologies/schemas/beds.yaml',
        time: 'reported_at',
        origin: 'hospital',
      },
      import.meta.dirname,
    );
    expect(Object.keys(ports.out?.fields ?? {}).slice(0, 4)).toEqual([
      'hospital',
      'reported_at',
      'ed_beds',
      'hospital_beds',
    ]);
  });
});
