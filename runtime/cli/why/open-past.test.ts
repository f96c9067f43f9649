/** Which topology `mach why` means when no file is given. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { goodTopology, testCatalogue, testEnvironment } from '../../topology/test-catalogue.ts';
import { createContext } from '../context.ts';
import { writeRunFile } from '../run-file.ts';
import { topologyOf } from './open-past.ts';

let folder: string;
const stderr = new PassThrough();
const context = createContext({
  version: '1',
  env: testEnvironment,
  stdout: new PassThrough(),
  stderr,
  loadCatalogue: async () => ({ catalogue: testCatalogue, errorLists: [] }),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-why-topology-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Started and, unless it goes on, ended. */
async function ran(topology: string, { goesOn = false } = {}): Promise<string> {
  const file = join(folder, `${topology}.yaml`);
  writeFileSync(file, goodTopology);
  const url = 'http://127.0.0.1:1';
  const remove = await writeRunFile(folder, { topology, file, url, processId: process.pid });
  if (!goesOn) await remove();
  return file;
}

it('is the one that runs, whatever ran before', async () => {
  await ran('earlier');
  await ran('now', { goesOn: true });
  expect(await topologyOf({ data: folder }, context)).toMatchObject({ name: 'now', file: join(folder, 'now.yaml') });
  expect(stderr.read()).toBeNull();
});

it('is the only one that ever ran there where none runs, and says so', async () => {
  const file = await ran('only');
  await ran('only');
  expect(await topologyOf({ data: folder }, context)).toMatchObject({ name: 'only', file });
  expect(String(stderr.read())).toContain(`no engine runs here; ${file} ran here, and is taken`);
});

it('is not guessed among several, nor where nothing ran', async () => {
  await expect(topologyOf({ data: folder }, context)).rejects.toThrow('no engine runs here (data folder');
  const files = [await ran('a'), await ran('b')];
  await expect(topologyOf({ data: folder }, context)).rejects.toThrow(`none runs here, ${files.join(', ')} did`);
});

it('is not known from what cannot be read, which ends nothing', async () => {
  const file = await ran('only');
  const folderOfRan = join(folder, 'ran');
  for (const [at, text] of ['', '{"topology":"a', 'null', '{"file":5}', '{"topology":"b","file":5}'].entries())
    writeFileSync(join(folderOfRan, `${at}.json`), text);
  mkdirSync(join(folderOfRan, 'folder.json'));
  expect(await topologyOf({ data: folder }, context)).toMatchObject({ name: 'only', file });
});

it('is not kept where that cannot be written, and the engine runs all the same', async () => {
  writeFileSync(join(folder, 'ran'), 'no folder');
  await ran('only', { goesOn: true });
  expect(await topologyOf({ data: folder }, context)).toMatchObject({ name: 'only' });
});
