/** Folders are made with those above them, or the system says why not: never neither. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, makeFolderSync } from './make-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mach-make-folder-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const isFolder = (path: string) => statSync(path).isDirectory();

describe('makeFolder', () => {
  it('makes all that is missing and says where it began', async () => {
    expect(await makeFolder(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'));
    expect(isFolder(join(root, 'a', 'b', 'c'))).toBe(true);
    expect(await makeFolder(join(root, 'a', 'b', 'c'))).toBeUndefined();
    expect(await makeFolder(join(root, 'a', 'd'))).toBe(join(root, 'a', 'd'));
    makeFolderSync(join(root, 'e', 'f'));
    makeFolderSync(join(root, 'e', 'f'));
    expect(isFolder(join(root, 'e', 'f'))).toBe(true);
  });

  it('makes none above it where it is to be made alone', async () => {
    const folder = join(root, 'a', 'b');
    await expect(makeFolder(folder, { alone: true })).rejects.toMatchObject({ code: 'ENOENT' });
    expect(() => makeFolderSync(folder, { alone: true })).toThrow('ENOENT');
    expect(await makeFolder(join(root, 'a'), { alone: true })).toBe(join(root, 'a'));
    makeFolderSync(folder, { alone: true });
    expect(isFolder(folder)).toBe(true);
  });

  it('makes one that several want at once', async () => {
    const folder = join(root, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(folder)));
    expect(isFolder(folder)).toBe(true);
  });

  it('gives each the rights that are wanted', async () => {
    await makeFolder(join(root, 'own', 'data'), { mode: 0o700 });
    expect(statSync(join(root, 'own')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'own', 'data')).mode & 0o777).toBe(0o700);
  });

  it('says what is in the way', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const [taken, above] = ['EEXIST', 'ENOTDIR'].map((code) => ({
      code,
      syscall: 'mkdir',
      message: `${code}: a file is in the place of the folder ${file}`,
    }));
    await expect(makeFolder(file)).rejects.toMatchObject(taken as object);
    await expect(makeFolder(join(file, 'a', 'b'))).rejects.toMatchObject(above as object);
    expect(() => makeFolderSync(file)).toThrow(taken?.message);
    expect(() => makeFolderSync(join(file, 'a'))).toThrow(above?.message);
  });

  it('comes back from where none can be made', async () => {
    await expect(makeFolder('/proc/mach/data')).rejects.toThrow(/^E[A-Z]+: /);
    expect(() => makeFolderSync('/proc/mach/data')).toThrow(/^E[A-Z]+: /);
  });
});
