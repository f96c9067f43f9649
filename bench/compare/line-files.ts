/** The events as files for peers without a generator, each written once and removed in the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeLines } from '../peers/lines.ts';
import type { LineFiles } from './measure.ts';

export function openLineFiles(): LineFiles & { remove(): Promise<void> } {
  const files = new Map<string, Promise<string>>();
  const folder = mkdtemp(join(tmpdir(), 'mach-lines-'));
  return {
    fileOf(request) {
      const { events, seed, rate, disorder } = request;
      const name = `${events}-${seed}-${rate}-${disorder}.ndjson`;
      const written =
        files.get(name) ??
        folder.then(async (at) => {
          await writeLines(join(at, name), request);
          return join(at, name);
        });
      files.set(name, written);
      return written;
    },
    async remove() {
      await Promise.allSettled(files.values());
      await rm(await folder, { recursive: true, force: true });
    },
  };
}
