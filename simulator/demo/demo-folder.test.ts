import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockName, processStart } from '../../runtime/bus/server-lock.ts';
import { takeDemoFolder } from './demo-folder.ts';

let above: string;
let folder: string;
beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'mach-demo-folder-'));
  folder = join(above, 'demo');
});
afterEach(() => rm(above, { recursive: true, force: true }));

/** As a process leaves it that has taken the folder. */
const takenBy = (processId: number, started: string | undefined) =>
  writeFile(join(folder, lockName), JSON.stringify({ owner: { processId, started } }));

describe('the folder of the demo', () => {
  it('is made, and emptied where a demo that has ended made it', async () => {
    await takeDemoFolder(folder);
    expect(await readdir(folder)).toEqual([lockName]);
    await takenBy(process.pid, 'another process of this number');
    await mkdir(join(folder, 'nats'));
    await mkdir(join(folder, 'beds'));
    await writeFile(join(folder, 'beds', 'H1.csv'), 'beds');
    await takeDemoFolder(folder);
    expect(await readdir(folder)).toEqual([lockName]);
  });

  it('is no folder that somebody else has filled', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'years of work');
    await expect(takeDemoFolder(folder)).rejects.toMatchObject({
      code: 'MACH1707',
      message: expect.stringContaining('it holds thesis.txt'),
    });
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  it('is not made where a file is', async () => {
    await writeFile(folder, 'a file');
    await expect(takeDemoFolder(folder)).rejects.toMatchObject({ code: 'MACH1606' });
  });

  it('is not what a link in its usual place leads to', async () => {
    const before = process.cwd();
    process.chdir(above);
    try {
      const usual = join('.mach', 'demo');
      await mkdir(usual, { recursive: true });
      await writeFile(join(usual, 'truth'), 'of a demo from before there was a lock');
      await takeDemoFolder(usual);
      expect(await readdir(usual)).toEqual([lockName]);
      await rm(usual, { recursive: true });
      await mkdir(folder);
      await writeFile(join(folder, 'thesis.txt'), 'years of work');
      await symlink(folder, usual);
      await expect(takeDemoFolder(usual)).rejects.toMatchObject({ code: 'MACH1707' });
      expect(await readdir(folder)).toEqual(['thesis.txt']);
    } finally {
      process.chdir(before);
    }
  });

  it('is left alone while a demo runs in it', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'truth'), 'of the other');
    await takenBy(process.ppid, processStart(process.ppid));
    await expect(takeDemoFolder(folder)).rejects.toMatchObject({ code: 'MACH3011' });
    expect((await readdir(folder)).sort()).toEqual([lockName, 'truth'].sort());
  });
});
