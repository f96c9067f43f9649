/** What is written down of who looked: a line each, whatever stood there before. */
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { auditFile, isRecorded, openAction, recordReveal } from './audit.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mach-audit-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const [node, key] = ['once', 'Nguyễn Văn Thử'];
const record = (reason = 'hồ sơ thử') =>
  recordReveal({ directory, env: {}, action: openAction, topology: 't', subject: { node, key }, reason });
const linesOf = async () => (await readFile(join(directory, auditFile), 'utf8')).split('\n');

it('stands on lines of its own, for its owner alone', async () => {
  const ids = [await record(), await record()];
  const lines = await linesOf();
  expect(lines).toHaveLength(3);
  expect(lines.slice(0, 2).map((line) => JSON.parse(line).id)).toEqual(ids);
  expect((await stat(join(directory, auditFile))).mode & 0o777).toBe(0o600);
});

it.each(['{"at":"2026-03-0', '\u0000'.repeat(200_000)])('stands behind a line that was cut off', async (before) => {
  await writeFile(join(directory, auditFile), before);
  const audit = await record();
  const [, line = ''] = await linesOf();
  expect(JSON.parse(line)).toMatchObject({ id: audit, node, key });
  expect(await isRecorded(directory, { audit, node, key })).toBe(true);
});

it('is found for its own node and key alone, and not where there is none', async () => {
  expect(await isRecorded(directory, { audit: 'x', node, key })).toBe(false);
  const audit = await record();
  expect(await isRecorded(directory, { audit, node, key: 'Trần Thị Thử' })).toBe(false);
  expect(await isRecorded(directory, { audit, node: 'other', key })).toBe(false);
  expect(await isRecorded(directory, { audit: 'x', node, key })).toBe(false);
});

it('is no reason in blanks, and nothing is shown on a full disk', async () => {
  await expect(record(' \u200b. ')).rejects.toMatchObject({ code: 'MACH1661' });
  await symlink('/dev/full', join(directory, auditFile));
  await expect(record()).rejects.toMatchObject({ code: 'MACH1633', message: expect.stringContaining('ENOSPC') });
});
