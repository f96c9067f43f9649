import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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

  it('is left alone while a demo runs in it', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'truth'), 'of the other');
    await takenBy(process.ppid, processStart(process.ppid));
    await expect(takeDemoFolder(folder)).rejects.toMatchObject({ code: 'MACH3011' });
    expect((await readdir(folder)).sort()).toEqual([lockName, 'truth'].sort());
  });
});
