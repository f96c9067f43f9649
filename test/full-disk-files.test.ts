/**
 * The disk that the `file` sink writes to fills up in the middle of a file: the engine says so and goes on taking in, no part of a file is left,
 * and once there is room every row is there once. The disk of a test machine is not filled: files of the engine's process may not grow.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { startEngineProcess, statusOf } from './engine-process.ts';

const topology = `
version: 1
name: full-disk-files
sources:
  files:
    file-drop:
      folder: "\${env:FILES_IN}"
      format: csv
      schema: { id: string, hospital: string }
      origin: hospital
      settle: 100ms
      scan: 200ms
sinks:
  archive:
    file: { from: files, folder: "\${env:FILES_OUT}", path: "{hospital}" }
`;

/** More than the ledger of the source, less than a file of the sink. */
const fileBytesMax = 4_096;
const rowsOfFile = 2_000;

const idsOf = (hospital: string) => Array.from({ length: rowsOfFile }, (_, row) => `${hospital}-${row}`);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}

it('says that the disk is full while it writes files, and writes every row once when there is room', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mach-full-files-'));
  const [file, inbox, out] = ['full-disk-files.yaml', 'inbox', 'out'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, topology);
  mkdirSync(inbox);
  const drop = (hospital: string) => {
    const draft = join(directory, hospital);
    writeFileSync(
      draft,
      `id,hospital\n${idsOf(hospital)
        .map((id) => `${id},${hospital}\n`)
        .join('')}`,
    );
    renameSync(draft, join(inbox, `${hospital}.csv`));
  };
  const filesOut = () => (existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : []);
  const idsOut = () =>
    filesOut()
      .filter((name) => /\/[^.].*\.csv$/.test(name))
      .flatMap((name) =>
        (parse(readFileSync(join(out, name)), { columns: true }) as { id: string }[]).map(({ id }) => id),
      );
  const env = { FILES_IN: inbox, FILES_OUT: out, NATS_URL: '', CLICKHOUSE_URL: '' };
  const engine = await startEngineProcess([file, '--data', join(directory, 'data')], env);
  const limitFiles = (bytes: number | 'unlimited') =>
    execFileSync('prlimit', ['--pid', String(engine.process.pid), `--fsize=${bytes}:`]);
  const accepted = async () => (await statusOf(engine)).accounting.in;
  try {
    limitFiles(fileBytesMax);
    drop('H1');
    const retries = () => engine.lines.filter(({ sink, error }) => sink === 'archive' && error !== undefined);
    await until(() => retries().length > 1);
    expect(retries()[0]?.error).toMatch(/H1\/.*\.csv cannot be written: EFBIG/);
    drop('H2');
    await until(async () => (await accepted()) === 2 * rowsOfFile);
    expect(idsOut()).toEqual([]);

    limitFiles('unlimited');
    await until(() => idsOut().length >= 2 * rowsOfFile);
    expect(await engine.stop()).toBe(0);
    expect(idsOut().sort()).toEqual([...idsOf('H1'), ...idsOf('H2')].sort());
    expect(filesOut().filter((name) => name.includes('draft'))).toEqual([]);
  } finally {
    await engine.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});
