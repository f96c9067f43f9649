/**
 * The documents, done literally: every command of their `sh` fences runs, in order, in a copy of the repository, after the files that
 * stand before it in the text have been written.
 *
 * | written | run | why |
 * | --- | --- | --- |
 * | `npm test` | with one small file | this file is part of `npm test` |
 * | `npm run demo` | for five seconds | it never ends by itself |
 * | `npm run check` | at its last mention in a document | it looks at all files that the document writes |
 * | `npx mach ...` | once in a document as written, then as `mach` | npx takes longer to start than most commands take |
 * | `mach run FILE` | on free ports, SIGTERM once it says that it is running | it never ends by itself |
 *
 * Anything else runs as it is written, and has to end with exit code 0.
 */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, normalize, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../catalogue.ts';
import { loadTopology } from '../runtime/topology/index.ts';
import { renderPages } from '../scripts/docs/pages.ts';
import {
  applyDiff,
  copyRepository,
  type Fence,
  fencesOf,
  listFiles,
  resetRepository,
  writeFence,
} from './documents.ts';

const documents = listFiles().filter((file) => file.endsWith('.md'));
const done = ['README.md', 'CONTRIBUTING.md', ...documents.filter((file) => /^docs\/[\w-]+\.md$/.test(file))];
/** A bound on what hangs, not a measure: a command of these starts up to four processes, on a machine that may be busy. */
const stepTimeoutMs = 240_000;
const testData = process.env.MACH_TEST_DATA ?? resolve('../shared/data');

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What vitest sets for its workers must not reach the commands, which may start another one. */
function environment(folder: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|MACH_(?!NATS_SERVER)|NODE_ENV|NODE_OPTIONS|NATS_URL|CLICKHOUSE_URL)/.test(name),
  );
  const path = `${join(folder, '.mach/shims')}${delimiter}${process.env.PATH}`;
  return { ...Object.fromEntries(own), PATH: path, MACH_TEST_DATA: testData };
}

/** Runs a line in a shell of its own. `until`: the process gets SIGTERM once its output has this. */
function runLine(line: string, { folder, until }: { folder: string; until?: RegExp }): Promise<Ended> {
  return new Promise((resolveEnded) => {
    const command = until ? `exec ${line}` : line;
    const child = spawn('bash', ['-c', command], {
      cwd: folder,
      env: environment(folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let told = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (told || !until?.test(output)) return;
        told = true;
        child.kill('SIGTERM');
      });
    }
    child.on('close', (code) => resolveEnded({ code, output }));
  });
}

/** `mach run`: ports of the file made free ones, told to stop when it runs; a signal is for the process itself, so without npx. */
async function runTopology(line: string, folder: string): Promise<Ended> {
  const file = join(folder, line.split(' ').at(-1) ?? '');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/\blisten: (?:0\.0\.0\.0:)?\d+/g, 'listen: 0'));
  try {
    return await runLine(line.replace(/^mach/, 'node bin/mach.js'), { folder, until: /\brunning\b/ });
  } finally {
    writeFileSync(file, text);
  }
}

async function runDemo(folder: string): Promise<Ended> {
  const ended = await runLine('npm run demo -- --for 5s --summary demo.json', { folder });
  if (ended.code === 0)
    expect(JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8')).events_in).toBeGreaterThan(0);
  return ended;
}

function runCommand(line: string, folder: string): Promise<Ended> {
  // Who has done what the document says has the file already, and so has the copy of the repository.
  const [, made] = /^(?:npx )?mach init .*--file (\S+)/.exec(line) ?? [];
  if (made !== undefined) rmSync(join(folder, made), { force: true });
  if (line === 'npm test') return runLine('npm test -- runtime/random.test.ts', { folder });
  if (line === 'npm run demo') return runDemo(folder);
  if (/^mach run \S+$/.test(line)) return runTopology(line, folder);
  return runLine(line, { folder });
}

type Step = { readonly title: string; do(folder: string): Promise<void> | void };

function stepsOf(document: string): Step[] {
  const fences = fencesOf(readFileSync(document, 'utf8'));
  const lines = fences.flatMap(({ language, text }) => (language === 'sh' ? text.trim().split('\n') : []));
  const checks = lines.filter((line) => line === 'npm run check').length;
  const npxOnce = lines.find((line) => line.startsWith('npx mach '));
  let checksSeen = 0;
  return fences.flatMap((fence): Step[] => {
    if (fence.file !== undefined) {
      const { file } = fence;
      return [{ title: `line ${fence.line}: ${file}`, do: (folder) => writeFence(folder, { ...fence, file }) }];
    }
    if (fence.language !== 'sh') return [];
    return fence.text
      .trim()
      .split('\n')
      .flatMap((line, index): Step[] => {
        if (line === 'npm run check' && ++checksSeen < checks) return [];
        return [
          {
            title: `line ${fence.line + index}: ${line}`,
            do: (folder) => expectToWork(line === npxOnce ? line : line.replace(/^npx /, ''), folder),
          },
        ];
      });
  });
}

async function expectToWork(line: string, folder: string): Promise<void> {
  const { code, output } = await runCommand(line, folder);
  expect(code, `${line}\n${output}`).toBe(0);
}

/** What the documents take for granted: `mach` in the path, and the files that `mach decode` is shown with. */
function prepare(folder: string): void {
  const shim = join(folder, '.mach/shims/mach');
  mkdirSync(dirname(shim), { recursive: true });
  writeFileSync(shim, `#!/bin/sh\nexec node '${join(folder, 'bin/mach.js')}' "$@"\n`);
  chmodSync(shim, 0o755);
  copyFileSync(join(testData, 'hl7v2/messages/ADT-A03-01.hl7'), join(folder, 'message.hl7'));
  const beds = 'hospital,reported_at,ed_beds,hospital_beds\nH1,2026-03-02T07:00:00+07:00,20,300\n';
  writeFileSync(join(folder, 'beds.csv'), beds);
}

describe('documents, done literally', () => {
  // One copy, as a new one would make the bundle of the program anew.
  let folder = '';
  beforeAll(() => {
    folder = copyRepository();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(done)('%s', (document) => {
    const steps = stepsOf(document);
    beforeAll(() => {
      if (steps.length > 0) prepare(folder);
    });
    afterAll(() => {
      if (steps.length > 0) resetRepository(folder);
    });

    it('has fences that are closed', () =>
      expect(fencesOf(readFileSync(document, 'utf8')).every(({ text }) => text !== '\n')).toBe(true));
    for (const step of steps) it(step.title, () => step.do(folder), stepTimeoutMs);
  });
});

describe('topologies in documents', () => {
  const found = documents.flatMap((document) =>
    fencesOf(readFileSync(document, 'utf8'))
      .filter(({ language, text }) => language === 'yaml' && /^version: 1$/m.test(text))
      .map((fence: Fence) => ({ place: `${document}:${fence.line}`, text: fence.text })),
  );

  it.each(found)('$place is right', ({ text }) => {
    const readFile = (file: string) => (file === 'topologies/document.yaml' ? Buffer.from(text) : readFileSync(file));
    expect(loadTopology('topologies/document.yaml', { catalogue, env: {}, readFile }).diagnostics).toEqual([]);
  });
});

describe('fences', () => {
  it('are files where the line before names one', () => {
    const [first, second] = fencesOf('`a.ts`:\n\n```ts\nx\n```\n\nand\n\n```sh\ny\n```\n');
    expect(first).toEqual({ language: 'ts', text: 'x\n', line: 4, file: 'a.ts' });
    expect(second).toEqual({ language: 'sh', text: 'y\n', line: 10 });
    expect(() => fencesOf('```sh\nx\n')).toThrow('line 1: the fence is not closed');
  });

  it('change files only where their lines stand once', () => {
    expect(applyDiff('a\nb\nc\n', ' a\n-b\n+B\n@@\n c\n+d\n')).toBe('a\nB\nc\nd\n');
    expect(applyDiff('a\nB\nc\nd\n', ' a\n-b\n+B\n@@\n c\n+d\n')).toBe('a\nB\nc\nd\n');
    expect(() => applyDiff('a\na\n', ' a\n+b\n')).toThrow('stand there twice');
    expect(() => applyDiff('a\n', ' x\n+b\n')).toThrow('do not stand there');
  });
});

describe('links between documents', () => {
  it.each(documents)('of %s lead somewhere', (document) => {
    const text = readFileSync(document, 'utf8').replace(/^```.*?^```$/gms, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
    const missing = targets
      .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
      .filter((target) => !existsSync(normalize(join(dirname(document), target.replace(/#.*$/, '')))));
    expect(missing).toEqual([]);
  });
});

describe('pages made from the definitions', () => {
  it.each(renderPages())('$file is as `npm run docs` makes it', ({ file, text }) => {
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '', `${file} is out of date: run \`npm run docs\``).toBe(
      text,
    );
  });
});
