import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../runtime/clock.ts';
import { MachError } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { testContext, until } from '../testing/source-context.ts';
import {
  base,
  beds,
  closeLast,
  drop,
  folder,
  header,
  info,
  listed,
  log,
  open,
  row,
  running,
  taken,
  warn,
} from './drop.fixture.ts';
import { fileDrop } from './index.ts';
import { fileDropLimits } from './limits.ts';

describe('file-drop', () => {
  it('takes a file and moves it', async () => {
    await open();
    await drop(
      'giường bệnh.csv',
      `\uFEFF${header}Bệnh viện Thử,2026-03-02 07:00,20,"có ""dấu"",\nhai dòng"\r\nH2,2026-03-02T00:30:00Z,5,\r\n`,
    );
    await taken(1);
    expect(log.events.map(({ event, time }) => [event, time])).toEqual([
      [
        { hospital: 'Bệnh viện Thử', reported_at: Date.UTC(2026, 2, 2), beds: 20, note: 'có "dấu",\nhai dòng' },
        Date.UTC(2026, 2, 2),
      ],
      [{ hospital: 'H2', reported_at: Date.UTC(2026, 2, 2, 0, 30), beds: 5, note: null }, Date.UTC(2026, 2, 2, 0, 30)],
    ]);
    expect(log.requests.map(({ origin }) => origin)).toEqual(['Bệnh viện Thử', 'H2']);
    expect(await listed('processed')).toEqual(['giường bệnh.csv'.normalize()]);
    expect(await listed('failed')).toEqual([]);
  });

  it('lets each origin of a file be heard before the time of another goes on', async () => {
    const at = (hospital: string, time: string, number: number) => `${hospital},2026-03-02T${time}+07:00,${number},\n`;
    const content =
      at('H1', '08:00', 1) + at('H1', '09:00', 2) + at('H2', '07:00', 3) + at('H2', '08:30', 4) + at('H3', '07:30', 5);
    await open();
    await drop('beds.csv', header + content);
    await taken(1);
    expect(beds().map(([, number]) => number)).toEqual([3, 5, 1, 2, 4]);
    await drop('one.csv', header + at('H1', '10:00', 6) + at('H1', '09:30', 7));
    await taken(2);
    expect(beds().slice(5)).toEqual([
      ['H1', 6],
      ['H1', 7],
    ]);
  });

  it.each([
    ['each of them before all rows', fileDropLimits.rowsPerChunk + 100, true],
    [
      'as their rows come, where they are more than senders there may be',
      fileDropLimits.originsHeardFirstMax + 1,
      false,
    ],
  ])('hears many origins: %s', async (_, origins, areFirst) => {
    await open();
    const rows = Array.from({ length: origins + 1 }, (__, number) => row(`H${number % origins}`, number));
    await drop('beds.csv', header + rows.join(''));
    await taken(1);
    const first = log.requests.filter(({ id }) => id?.endsWith(':-1'));
    expect(first.map(({ origin, events }) => [origin, events.length])).toEqual(
      areFirst ? Array.from({ length: origins }, (__, number) => [`H${number}`, 1]) : [],
    );
    expect(beds().map(([, number]) => number)).toEqual(Array.from({ length: origins + 1 }, (__, number) => number));
  });

  it('says of each row where it stood, as its dead letter would', async () => {
    await open();
    const lines = [
      '',
      row('H2', 1),
      row('H1', 2),
      'H1,2026-03-02T07:00:00+07:00,3,"a\n""b""\r\n"\n',
      '\n',
      row('H2', 4),
    ];
    await drop('beds.csv', header + lines.join(row('H1', -1)));
    await taken(1);
    const told = log.requests.flatMap(({ place, events }) =>
      events.map(({ event, line }) => [event.beds, place?.file, line]),
    );
    expect(told.sort()).toEqual([
      [1, 'beds.csv', 3],
      [2, 'beds.csv', 5],
      [3, 'beds.csv', 7],
      [4, 'beds.csv', 13],
    ]);
    expect(log.deadLetters.map(({ place }) => [place.file, place.line])).toEqual(
      [2, 4, 6, 10, 12].map((line) => ['beds.csv', line]),
    );
  });

  it('makes the folder where it is missing, and says so', async () => {
    await open({ folder: 'bed' });
    expect(info.mock.calls).toEqual([[{ folder: join(folder, 'bed') }, 'the folder was missing, and has been made']]);
    expect((await readdir(join(folder, 'bed'))).sort()).toEqual(['failed', 'processed']);
    await closeLast();
    info.mockClear();
    await open({ folder: 'bed' });
    expect(info.mock.calls).toEqual([]);
  });

  it('sends each bad row to the dead letters with its line and column, and keeps the others', async () => {
    await open();
    const lines = [
      row('H1', 1),
      row('H2', '12,5').replace('12,5', '"12,5"'),
      row('H3', -1),
      'H4,yesterday,3,\n',
      'H5,2026-03-02T07:00:00Z\n',
      row('', 2),
      row('H7', 7),
      '"H8,2026-03-02T07:00:00Z,1,\n',
      row('H9', 9),
    ];
    await drop('beds.csv', header + lines.join(''));
    await taken(1);
    expect(beds()).toEqual([
      ['H1', 1],
      ['H7', 7],
      ['H9', 9],
    ]);
    expect(log.deadLetters.map(({ place, reason }) => [place.line, place.column, reason])).toEqual([
      [3, 'beds', 'row refused: beds "12,5" has a comma: write a decimal point (12.5) and no thousands separator'],
      [4, 'beds', 'row refused: beds -1 is less than 0'],
      [5, 'reported_at', 'row refused: reported_at "yesterday" is not a time (format iso)'],
      [6, undefined, 'the row has 2 columns where the header has 4'],
      [7, 'hospital', 'row refused: hospital is empty, and the field is not nullable'],
      [9, undefined, 'a quotation mark is not closed'],
    ]);
    expect(Buffer.from(log.deadLetters[2]?.raw ?? []).toString()).toBe('H4,yesterday,3,');
    expect(await listed('processed')).toEqual(['beds.csv']);
    expect(warn.mock.calls).toEqual([
      [{ file: 'beds.csv', rows: 3, dead: 6 }, expect.stringContaining('`mach dead-letter list TOPOLOGY` says why')],
    ]);
  });

  it('takes the same content once, whatever its name, also after a restart', async () => {
    await open();
    const content = header + row('H1', 1);
    await drop('a.csv', content);
    await taken(1);
    await drop('a.csv', content);
    await taken(2);
    await closeLast();
    await open();
    await drop('b.csv', content);
    await taken(3);
    expect(beds()).toEqual([['H1', 1]]);
    expect(await listed('processed')).toEqual(['a.2.csv', 'a.csv', 'b.csv']);
  });

  it('keeps files that cannot be read, with the reason beside them', async () => {
    await open();
    await drop('header.csv', `hospital,reported_at,bed,note\n${row('H1', 1)}`);
    await drop('semicolons.csv', 'hospital;reported_at;beds\nH1;2026-03-02;1\n');
    await drop('empty.csv', '');
    await drop('latin.csv', Buffer.concat([Buffer.from(header), Buffer.from([0x48, 0xe9, 0x2c])]));
    await taken(4);
    expect(log.events).toEqual([]);
    const reason = async (name: string) =>
      (await readFile(join(folder, 'failed', `${name}.reason.txt`), 'utf8')).trim();
    expect(await reason('header.csv')).toBe(
      'MACH2205 the header has no column "beds", did you mean "bed"; it has: hospital, reported_at, bed, note',
    );
    expect(await reason('semicolons.csv')).toContain('has no "," but ";" (option delimiter)');
    expect(await reason('empty.csv')).toContain('MACH2206');
    expect(await reason('latin.csv')).toBe('MACH2207 the text is not valid utf-8, near byte 33');
    expect(await listed('processed')).toEqual([]);
    expect((await listed('failed')).length).toBe(8);
  });

  it('names the bounds that a file exceeds', async () => {
    await open({ rows: 2, file_size: '1KiB' });
    await drop('rows.csv', header + row('H1', 1) + row('H2', 2) + row('H3', 3));
    await drop('size.csv', `${header}${row('H1', 1)}${'x'.repeat(2000)}`);
    await taken(2);
    expect(log.events).toEqual([]);
    expect(await readFile(join(folder, 'failed', 'rows.csv.reason.txt'), 'utf8')).toContain(
      'MACH2204 the file has more than 2 rows',
    );
    expect(await readFile(join(folder, 'failed', 'size.csv.reason.txt'), 'utf8')).toContain('MACH2203');
  });

  it('follows no links and leaves alone what is not whole', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'mach-elsewhere-'));
    await writeFile(join(elsewhere, 'secret.csv'), header + row('H0', 0));
    await symlink(join(elsewhere, 'secret.csv'), join(folder, 'link.csv'));
    for (const name of ['x.csv.tmp', 'x.part', '.hidden.csv', '~$x.csv'])
      await writeFile(join(folder, name), header + row('H0', 0));
    await open({ match: '*' });
    await drop('real.csv', header + row('H1', 1));
    await taken(1);
    expect(beds()).toEqual([['H1', 1]]);
    expect((await readdir(folder)).sort()).toEqual([
      '.hidden.csv',
      'failed',
      'link.csv',
      'processed',
      'x.csv.tmp',
      'x.part',
      '~$x.csv',
    ]);
    await rm(elsewhere, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  });

  it('takes a file only once it has not changed for long enough', async () => {
    const clock = virtualClock(Date.UTC(2026, 2, 2));
    const context = testContext(log, { clock });
    const source = await bindSource(fileDrop, { ...base, settle: '1h', scan: '1h' }, folder).open(context);
    running.push({ source, context });
    await until(() => clock.pending > 0);
    await drop('beds.csv', header + row('H1', 1));
    await clock.advance(3_599_000);
    expect(log.events).toEqual([]);
    // Looks read the folder in real time, so each step of the clock gives them some.
    while (log.events.length === 0) {
      await clock.advance(1_800_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(beds()).toEqual([['H1', 1]]);
  });

  it('takes files whatever their names are, and finds room for the reason beside the longest', async () => {
    await open();
    const long = `${'ộ'.repeat(83)}xx`;
    await writeFile(join(folder, 'hai\ndòng.csv'), header + row('H1', 1));
    await writeFile(join(folder, `${long}.csv`), header + row('H1', 2));
    await taken(2);
    await writeFile(join(folder, `${long}.csv`), header + row('H1', 3));
    await taken(3);
    await writeFile(join(folder, `${long}.csv`), 'none');
    await taken(4);
    expect(
      beds()
        .map(([, number]) => number)
        .sort(),
    ).toEqual([1, 2, 3]);
    expect(await listed('processed')).toEqual(['hai\ndòng.csv', `${long}.csv`, `${'ộ'.repeat(83)}.2.csv`].sort());
    expect(await listed('failed')).toEqual([`${'ộ'.repeat(81)}.reason.txt`, `${long}.csv`].sort());
  });

  it.each(['moved over it', 'written into it'])('takes a file that is %s while its rows are stored', async (how) => {
    const newer = header + row('H1', 2) + row('H1', 3);
    let isFirst = true;
    log.before = async () => {
      if (!isFirst) return;
      isFirst = false;
      await (how === 'moved over it' ? drop('beds.csv', newer) : writeFile(join(folder, 'beds.csv'), newer));
    };
    await open();
    await drop('beds.csv', header + row('H1', 1));
    await until(() => log.events.length === 3);
    await taken(2);
    expect(beds()).toEqual([1, 2, 3].map((number) => ['H1', number]));
    const kept = await Promise.all(
      (await listed('processed')).map((name) => readFile(join(folder, 'processed', name), 'utf8')),
    );
    expect(kept).toContain(newer);
    expect((await readdir(folder)).sort()).toEqual(['failed', 'processed']);
  });

  it('turns a row away that is too long, and a file whose row no message can hold, and takes the next', async () => {
    log.before = ({ events }) => {
      if (events.some(({ event }) => event.beds === 13)) throw new MachError('MACH3202', 'one event is too large');
    };
    await open();
    await drop('a.csv', `${header}${row('H1', 1)}${row('X'.repeat(fileDropLimits.rowBytesMax), 2)}`);
    await drop('b.csv', header + row('H2', 13));
    await drop('c.csv', header + row('H3', 3));
    await taken(3);
    expect(beds().sort()).toEqual([
      ['H1', 1],
      ['H3', 3],
    ]);
    expect(log.deadLetters.map(({ code, reason }) => [code, reason])).toEqual([
      ['MACH2210', expect.stringContaining('more than rowBytesMax (1048576)')],
    ]);
    expect(await readFile(join(folder, 'failed', 'b.csv.reason.txt'), 'utf8')).toContain('MACH3202');
  });

  it('retries when the log fails, and stores nothing twice', async () => {
    let failures = 2;
    log.before = () => {
      if (failures-- > 0) throw new Error('no space left');
    };
    const source = await open();
    const context = running.at(-1)?.context;
    expect(context).toBeDefined();
    await drop('beds.csv', header + row('H1', 1) + row('H2', 2));
    await until(() => source.problem?.() != null);
    expect(source.problem?.()).toContain('MACH2213 the file beds.csv cannot be taken now: no space left');
    await taken(1);
    expect(beds().sort()).toEqual([
      ['H1', 1],
      ['H2', 2],
    ]);
    expect(source.problem?.()).toBe(null);
  });
});
