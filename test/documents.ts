/** The documents of the repository as something that can be run: their fences, the files that they write, a copy to run them in. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Fence {
  readonly language: string;
  readonly text: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  /** The file that the text is, when the line before the fence names one: `` `operators/changes.ts`: ``. */
  readonly file?: string;
}

/** Tracked files and new ones that are not ignored. */
export function listFiles(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\0');
  return [...new Set(names)].filter((name) => name !== '' && existsSync(name));
}

export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const opening = /^```(\S*)/.exec(lines[index] ?? '');
    if (!opening) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`line ${index + 1}: the fence is not closed`);
    const said = lines.slice(0, index).findLast((line) => line.trim() !== '');
    const file = /^`([^`]+)`:$/.exec(said ?? '')?.[1];
    const text = `${lines.slice(index + 1, end).join('\n')}\n`;
    fences.push({ language: opening[1] ?? '', text, line: index + 2, ...(file === undefined ? {} : { file }) });
    index = end;
  }
  return fences;
}

/**
 * Applies hunks, each a block of lines that stands once in the text; `@@` parts them. One that has been applied already, by someone
 * who has done what the document says, stays as it is.
 */
export function applyDiff(text: string, diff: string): string {
  return diff.split(/^@@.*\n/m).reduce((result, hunk) => {
    const lines = hunk.split('\n').filter((line) => line !== '');
    const side = (leftOut: string) =>
      lines
        .filter((line) => !line.startsWith(leftOut))
        .map((line) => `\n${line.slice(1)}`)
        .join('');
    const [before, after] = [`${side('+')}\n`, `${side('-')}\n`];
    const padded = `\n${result}`;
    if (padded.includes(after)) return result;
    const at = padded.indexOf(before);
    const problem =
      at < 0 ? 'do not stand there' : padded.indexOf(before, at + 1) < 0 ? undefined : 'stand there twice';
    if (problem) throw new Error(`these lines ${problem}:${before}`);
    return `${padded.slice(0, at)}${after}${padded.slice(at + before.length)}`.slice(1);
  }, text);
}

/** Does to the copy what a fence with a file says: writes it, or changes it. */
export function writeFence(folder: string, { language, text, file }: Fence & { readonly file: string }): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, language === 'diff' ? applyDiff(readFileSync(path, 'utf8'), text) : text);
}

/** A repository of its own with the files as they are now, and with what `npm run setup` would fetch. */
export function copyRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mach-documents-'));
  for (const name of listFiles()) {
    mkdirSync(join(folder, dirname(name)), { recursive: true });
    copyFileSync(name, join(folder, name));
  }
  // Real folders of links, so that nothing that a command writes there gets into ours.
  for (const fetched of ['node_modules', '.mach/bin']) {
    if (!existsSync(fetched)) continue;
    mkdirSync(join(folder, fetched), { recursive: true });
    for (const name of readdirSync(fetched))
      symlinkSync(join(process.cwd(), fetched, name), join(folder, fetched, name));
  }
  git(folder, 'init', '--quiet');
  git(folder, 'add', '--all');
  return folder;
}

const git = (folder: string, ...args: string[]) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' });

/** What makes the next command start sooner. */
const kept = ['bin', 'program', 'store'];

/** Takes back what has been done to a copy. */
export function resetRepository(folder: string): void {
  git(folder, 'checkout', '--', '.');
  git(folder, 'clean', '-ffdxq', '-e', '/node_modules', '-e', '/.mach');
  for (const name of readdirSync(join(folder, '.mach')))
    if (!kept.includes(name)) rmSync(join(folder, '.mach', name), { recursive: true });
}
