/** Command lines about the past that are wrong: said before anything is started. What they do is tried in `test/kill-and-restart.test.ts`. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodTopology, testCatalogue, testEnvironment } from '../../topology/test-catalogue.ts';
import { main } from '../main.ts';

let folder: string;
let good: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mach-cli-past-'));
  good = join(folder, 'good.yaml');
  writeFileSync(good, goodTopology);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function mach(...argv: string[]) {
  const read = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? '';
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const loadCatalogue = async () => ({ catalogue: testCatalogue, errorLists: [] });
  const data = ['--data', join(folder, 'data')];
  const code = await main([...argv, ...data], { version: '1', env: testEnvironment, stdout, stderr, loadCatalogue });
  return { code, out: read(stdout), err: read(stderr) };
}

describe('commands about the past', () => {
  it.each([
    ['MACH1634', ['replay']],
    ['MACH1620', ['replay', '$good', '--from', 'yesterday']],
    ['MACH3234', ['replay', '$good', '--into', 'Friday']],
    ['MACH3234', ['replay', '$good', '--into', 'a__b']],
    ['MACH3234', ['replay', '--drop', 'no shadow']],
    ['MACH1620', ['diff', '$good', 'friday', '--limit', 'many']],
    ['MACH1620', ['diff', '$good', 'friday', '--key', 'hospital']],
    ['MACH1661', ['diff', '$good', 'friday', '--reveal']],
    ['MACH1630', ['replay', '$good']],
    ['MACH1630', ['checkpoint', 'list', '$good']],
    ['MACH1630', ['checkpoint', 'save', '$good', 'friday']],
    ['MACH1630', ['checkpoint', 'restore', '$good', 'friday']],
  ])('%s: mach %j ends with 2, and starts nothing', async (code, words) => {
    const ended = await mach(...words.map((word) => word.replace('$good', good)));
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toContain(code);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it.each(['replay', 'diff', 'checkpoint'])('mach help %s tells what it takes', async (name) => {
    const { out } = await mach(name, '--help');
    expect(out).toContain(`Usage: mach ${name}`);
  });
});
