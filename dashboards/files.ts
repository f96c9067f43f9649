/** Writes the generated files, and says which on the disk are not as they would be made now. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateFiles } from './generate.ts';

export const generatedFolder = fileURLToPath(new URL('./generated/', import.meta.url));

function filesOnDisk(): string[] {
  if (!existsSync(generatedFolder)) return [];
  return readdirSync(generatedFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(generatedFolder, name)).isFile())
    .map((name) => relative('.', name).replaceAll('\\', '/'));
}

/** One line each; none when all is up to date. */
export function outdatedFiles(): string[] {
  const wanted = generateFiles();
  const extra = filesOnDisk().filter((name) => !wanted.has(name));
  const different = [...wanted].filter(([name, content]) => {
    const path = join(generatedFolder, name);
    return !existsSync(path) || readFileSync(path, 'utf8') !== content;
  });
  return [
    ...different.map(([name]) => `dashboards/generated/${name} is not what the boards say now: npm run boards`),
    ...extra.map((name) => `dashboards/generated/${name} is made by no board any more: npm run boards`),
  ];
}

/** Resolves with the number of files. */
export function writeFiles(): number {
  rmSync(generatedFolder, { recursive: true, force: true });
  const files = generateFiles();
  for (const [name, content] of files) {
    const path = join(generatedFolder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return files.size;
}
