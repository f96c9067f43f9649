/** A folder of its own for each test, watched by the source, and what it stored. */
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import type { RunningSource } from '../../runtime/stream/index.ts';
import { bindSource } from '../testing/bind.ts';
import { type RecordedLog, recordedLog, type TestContext, testContext, until } from '../testing/source-context.ts';
import { fileDrop } from './index.ts';

export let folder: string;
export let log: RecordedLog;
export const running: { source: RunningSource; context: TestContext }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mach-file-drop-'));
  log = recordedLog();
  vi.clearAllMocks();
});
afterEach(async () => {
  for (const { source } of running.splice(0)) await source.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
});

export const schema = {
  hospital: 'string',
  reported_at: 'timestamp',
  beds: { type: 'int', minimum: 0 },
  note: 'string?',
};
export const base = {
  folder: '.',
  format: 'csv',
  schema,
  time: 'reported_at',
  origin: 'hospital',
  settle: '10ms',
  scan: '20ms',
  ahead: '1000w',
};

export const warn = vi.fn();
export const info = vi.fn();

export async function open(options: object = {}): Promise<RunningSource> {
  const made = testContext(log, { clock: systemClock() });
  const context = { ...made, logger: { ...made.logger, warn, info } };
  const source = await bindSource(fileDrop, { ...base, ...options }, folder).open(context);
  running.push({ source, context });
  return source;
}

export async function closeLast(): Promise<void> {
  const last = running.pop();
  last?.context.stop.abort();
  await last?.source.close();
}

/** As a careful sender does: written under another name, then moved in. */
export async function drop(name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(folder, `.${name}`), content);
  await rename(join(folder, `.${name}`), join(folder, name));
}

export const header = 'hospital,reported_at,beds,note\n';
export const row = (hospital: string, beds: number | string) => `${hospital},2026-03-02T07:00:00+07:00,${beds},\n`;
export const listed = async (sub: string) =>
  (await readdir(join(folder, sub))).filter((name) => !name.startsWith('.')).sort();
export const taken = async (count: number) => {
  await until(() => (log.counts.get('files_total') ?? 0) >= count);
};
export const beds = () => log.events.map(({ event }) => [event.hospital, event.beds]);
