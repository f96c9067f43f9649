/** Folders that are removed while files are taken, and crashes in the midst of one. */
import { readdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../testing/source-context.ts';
import { beds, closeLast, drop, folder, header, listed, log, open, row, running, taken, warn } from './drop.fixture.ts';
import { fileDropLimits } from './limits.ts';

describe('a folder that is removed while it runs', () => {
  const removed = (sub: string) => rm(join(folder, sub), { recursive: true, maxRetries: 10, retryDelay: 10 });

  it.each(['processed', 'failed'])('(%s) is made again, and files go on', async (sub) => {
    await open();
    await drop('a.csv', header + row('H1', 1));
    await taken(1);
    await removed(sub);
    await drop('b.csv', header + row('H1', 2));
    await drop('c.csv', 'none');
    await taken(3);
    expect(beds()).toEqual([
      ['H1', 1],
      ['H1', 2],
    ]);
    expect(await listed('processed')).toContain('b.csv');
    expect(await listed('failed')).toContain('c.csv');
    expect(warn).toHaveBeenCalledWith({ folder: join(folder, sub) }, 'the folder was removed, and has been made again');
  });

  it.each(['removed', 'moved away', 'removed while rows are stored'])(
    'takes with it no knowledge of what was taken (%s), also after a restart',
    async (how) => {
      const away = () =>
        how === 'moved away' ? rename(join(folder, 'processed'), join(folder, 'processed-1')) : removed('processed');
      await open();
      await drop('a.csv', header + row('H1', 1));
      await taken(1);
      log.before = async () => {
        log.before = () => {};
        if (how === 'removed while rows are stored') await away();
      };
      if (how !== 'removed while rows are stored') await away();
      await drop('b.csv', header + row('H1', 2));
      await taken(2);
      await closeLast();
      // What is known then is in the ledger alone.
      log.marks.clear();
      await open();
      await drop('a.csv', header + row('H1', 1));
      await drop('b.csv', header + row('H1', 2));
      await taken(4);
      expect(beds()).toEqual([
        ['H1', 1],
        ['H1', 2],
      ]);
    },
  );

  it('is not made again while the folder that is watched is away', async () => {
    const source = await open();
    const away = `${folder}-away`;
    await rename(folder, away);
    const problem = `MACH2201 the folder ${folder} cannot be used: ENOENT`;
    await until(() => source.problem?.()?.startsWith(problem) === true);
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
    await rename(away, folder);
    await drop('a.csv', header + row('H1', 1));
    await taken(1);
    expect(await listed('processed')).toEqual(['a.csv']);
    await until(() => source.problem?.() == null);
  });

  it('is refused with what is in its place', async () => {
    // So that no look makes it again before the file is there.
    const source = await open({ scan: '1h' });
    await drop('a.csv', header + row('H1', 1));
    await taken(1);
    await removed('processed');
    await writeFile(join(folder, 'processed'), '');
    await drop('b.csv', header + row('H1', 2));
    await until(() => source.problem?.() != null);
    const path = join(folder, 'processed');
    expect(source.problem?.()).toBe(
      `MACH2201 the folder ${path} cannot be used: EEXIST: a file is in the place of the folder ${path}`,
    );
    await unlink(path);
    await taken(2);
    expect(await listed('processed')).toEqual(['b.csv']);
  });
});

describe('after a crash', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => row(`H${i % 3}`, i)).join('');

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'after append %i nothing is lost and nothing is twice',
    async (crashAt) => {
      let appends = 0;
      log.after = () => {
        // The rows are stored, but nobody hears of it: the process is gone.
        if (++appends >= crashAt) throw new Error('killed');
      };
      await open();
      await drop('beds.csv', header + many(1_400));
      await until(() => appends >= crashAt);
      await closeLast();
      log.after = () => {};
      // Another file that was there first must not disturb the marks of the one that was begun.
      await writeFile(join(folder, 'aaa.csv'), header + row('H0', 99_999));
      await open();
      await taken(2);
      const numbers = log.events.map(({ event }) => event.beds as number).sort((a, b) => a - b);
      expect(numbers).toEqual([...Array.from({ length: 1_400 }, (_, i) => i), 99_999]);
    },
  );

  it('goes on with a file that was begun before the first rows were stored alone', async () => {
    const rowsOfChunk = fileDropLimits.rowsPerChunk;
    await open();
    await drop('beds.csv', header + many(3 * rowsOfChunk));
    await taken(1);
    const sha = log.requests[0]?.id?.split(':')[0];
    await closeLast();
    // As it was then: of one origin the first chunk is stored, of the others nothing.
    log.requests.length = 0;
    log.events.length = 0;
    log.marks.clear();
    log.marks.set('H0', `${sha}:0`);
    await rename(join(folder, 'processed', 'beds.csv'), join(folder, 'beds.csv'));
    await unlink(join(folder, 'processed', '.mach-ledger.ndjson'));
    await open();
    await taken(2);
    const numbers = log.events.map(({ event }) => event.beds as number).sort((a, b) => a - b);
    const all = Array.from({ length: 3 * rowsOfChunk }, (_, number) => number);
    expect(numbers).toEqual(all.filter((number) => number >= rowsOfChunk || number % 3 !== 0));
  });

  it('between the last append and the move nothing is twice', async () => {
    const source = await open();
    await drop('beds.csv', header + many(10));
    await taken(1);
    await source.close();
    running.pop();
    // The move did not happen: the file lies where it was.
    await rename(join(folder, 'processed', 'beds.csv'), join(folder, 'beds.csv'));
    await open();
    await taken(2);
    expect(log.events).toHaveLength(10);
    expect(await listed('processed')).toEqual(['beds.csv']);
  });

  it('without its ledger the marks still know the newest files', async () => {
    const source = await open();
    await drop('beds.csv', header + many(10));
    await taken(1);
    await source.close();
    running.pop();
    await rename(join(folder, 'processed', 'beds.csv'), join(folder, 'beds.csv'));
    await unlink(join(folder, 'processed', '.mach-ledger.ndjson'));
    await open();
    await taken(2);
    expect(log.events).toHaveLength(10);
  });

  it('a ledger line that was cut is repaired, another damage is named', async () => {
    const source = await open();
    await drop('a.csv', header + row('H1', 1));
    await taken(1);
    await source.close();
    running.pop();
    const ledger = join(folder, 'processed', '.mach-ledger.ndjson');
    await writeFile(ledger, '{"sha":"12', { flag: 'a' });
    await (await open()).close();
    running.pop();
    const text = await readFile(ledger, 'utf8');
    expect(text.endsWith('}\n')).toBe(true);
    await writeFile(ledger, `not json\n${text}`);
    await expect(open()).rejects.toMatchObject({ code: 'MACH2212' });
  });
});
