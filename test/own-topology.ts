import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * A copy of a topology under a name of its own: on a server that NATS_URL names, another run may have left its log. Returns the
 * path of the copy in `directory`.
 */
export async function ownTopology(file: string, directory: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const folder = resolve(dirname(file));
  const copy = text
    .replace(/^name: (.*)$/m, (_, name) => `name: ${name}-${randomUUID().slice(0, 8)}`)
    .replaceAll(/\b(schemas|data)\//g, (relative) => `${folder}/${relative}`);
  const path = join(directory, basename(file));
  await writeFile(path, copy);
  return path;
}
