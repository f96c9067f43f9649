/** Rows that were refused, read once more when the schema is mended. */
import exceljs from 'exceljs';
import { describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { fileDrop } from './index.ts';

const fields = (bedsMax: number) => ({
  hospital: { type: 'string', column: 'Bệnh viện' },
  beds: { type: 'int', maximum: bedsMax },
  at: { type: 'timestamp', format: 'dd/MM/yyyy HH:mm', nullable: true },
});

const bind = (bedsMax: number, options: object) =>
  bindSource(fileDrop, { folder: 'x', schema: fields(bedsMax), ...options });

/** The letters of a content, and what becomes of them under a schema that allows more. */
async function mended(content: string | Buffer, options: object) {
  const { deadLetters = [] } = (await bind(50, options).decode?.(Buffer.from(content), 'beds.csv')) ?? {};
  const source = bind(100, options);
  const again = deadLetters.map(({ raw, place }) => source.redecode?.({ raw, place, acceptedAt: 7_000, now: 7_000 }));
  return { deadLetters, again: await Promise.all(again) };
}

const textOf = ({ raw }: DeadLetter) => Buffer.from(raw).toString();

async function workbook(rows: readonly (readonly unknown[])[]): Promise<Buffer> {
  const book = new exceljs.Workbook();
  const sheet = book.addWorksheet('beds');
  for (const row of rows) sheet.addRow([...row]);
  return Buffer.from(await book.xlsx.writeBuffer());
}

describe('a row that was refused', () => {
  it('of a csv is read under the header that it stood under', async () => {
    const content = 'beds;x; Bệnh viện \r\n20;1;Một\r\n60;2;"Hai; cũ"\r\n';
    const { deadLetters, again } = await mended(content, { format: 'csv', delimiter: ';' });
    expect(deadLetters.map(textOf)).toEqual(['60;2;"Hai; cũ"']);
    expect(deadLetters[0]?.place).toEqual({
      file: 'beds.csv',
      line: 3,
      column: 'beds',
      header: 'beds;x; Bệnh viện ',
    });
    expect(again).toMatchObject([
      { deadLetters: [], events: [{ event: { hospital: 'Hai; cũ', beds: 60 }, time: 7_000 }] },
    ]);
  });

  it('of a workbook is read by its cells', async () => {
    const content = await workbook([
      ['beds', 'Bệnh viện', 'at'],
      [60, 'Hai', new Date(Date.UTC(2026, 2, 2, 7, 30))],
    ]);
    const { again } = await mended(content, { format: 'xlsx' });
    // Date cells are local time.
    const at = Date.UTC(2026, 2, 2, 0, 30);
    expect(again).toMatchObject([{ deadLetters: [], events: [{ event: { hospital: 'Hai', beds: 60, at } }] }]);
  });

  it.each(['ndjson', 'json'])('of %s is an object', async (format) => {
    const row = JSON.stringify({ 'Bệnh viện': 'Hai', beds: 60 });
    const { again } = await mended(format === 'json' ? `[${row}]` : `${row}\n`, { format });
    expect(again).toMatchObject([{ deadLetters: [], events: [{ event: { hospital: 'Hai', beds: 60 } }] }]);
  });

  it('and is still wrong is refused again, at its own line', async () => {
    const { again } = await mended('Bệnh viện,beds\nMột,1\nHai,600\n', { format: 'csv' });
    expect(again).toMatchObject([{ events: [], deadLetters: [{ code: 'MACH2210', place: { line: 3 } }] }]);
  });

  it('without its header cannot be read', async () => {
    const letter = { raw: Buffer.from('Hai,60'), place: { file: 'beds.csv', line: 2 }, acceptedAt: 0, now: 0 };
    await expect(bind(100, { format: 'csv' }).redecode?.(letter)).rejects.toMatchObject({ code: 'MACH2206' });
  });
});

it('a row from the future is refused until its time has come', async () => {
  const schema = { hospital: 'string', at: 'timestamp' };
  const source = bindSource(fileDrop, { folder: 'x', schema, format: 'csv', time: 'at', ahead: '5m' });
  const [at, header] = ['2030-11-30T06:20:00.000Z', 'hospital,at'];
  const letter = { raw: Buffer.from(`Một,${at}`), place: { file: 'a.csv', line: 2, header }, acceptedAt: 0 };
  const early = await source.redecode?.({ ...letter, now: Date.parse(at) - 300_001 });
  expect(early).toMatchObject({
    events: [],
    deadLetters: [{ reason: expect.stringContaining('too far in the future') }],
  });
  const again = await source.redecode?.({ ...letter, now: Date.parse(at) - 300_000 });
  expect(again).toMatchObject({ deadLetters: [], events: [{ event: { hospital: 'Một' } }] });
});
