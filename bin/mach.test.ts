import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const repository = path.dirname(import.meta.dirname);
// Real, because the places of sources are.
const parent = fs.realpathSync(fs.mkdtempSync(path.join(tmpdir(), 'mach-bundle-')));
afterAll(() => fs.rmSync(parent, { recursive: true, force: true }));

const files: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ name: 'small', type: 'module' }),
  'bin/program.ts': `import { Subject } from 'rxjs';
import { greeting } from '../parts/greeting.ts';

export async function runProgram(): Promise<number> {
  if (process.argv[2] === 'fail') throw greeting.failure();
  if (process.argv[2] === 'watch') {
    const { FSWatcher } = await import('chokidar');
    console.log(FSWatcher.name);
    return 0;
  }
  const { lazy } = await import('../parts/lazy.ts');
  const place = new Error().stack?.includes('.mach') ? 'bundle' : 'sources';
  console.log(JSON.stringify({ place, text: greeting.text, subject: Subject.name, lazy, program: process.argv[1] }));
  return 7;
}
`,
  'runtime/store/embedded/process.ts': `export async function runProgram(): Promise<void> {
  const place = new Error().stack?.includes('.mach/store') ? 'bundle' : 'sources';
  console.log(JSON.stringify({ place, given: process.argv.slice(2) }));
}
`,
  'parts/greeting.ts': `export const greeting = {
  text: 'one' as string,
  failure: () => new Error('as asked'),
};
`,
  'parts/lazy.ts': `export const lazy = {
  url: import.meta.url,
  folder: import.meta.dirname,
  file: import.meta.filename,
  words: 'import.meta.url',
  // Bệnh viện 🏥
  letters: ['bệnh viện', \`đường \${'phố'} 🏥\`, 'µs 🏥'.replace(/µ|🏥/g, 'ă'), /^[đ🏥]$/u.test('🏥')],
};
`,
};

/** A small program in a folder of its own, started by the `bin/mach.js` that starts ours. */
function makeProgram() {
  const root = fs.mkdtempSync(path.join(parent, 'program-'));
  const write = (name: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const name of ['mach.js', 'store.js', 'start.mjs', 'bundle.mjs', 'compiled.mjs']) {
    fs.copyFileSync(path.join(repository, 'bin', name), path.join(root, 'bin', name));
  }
  fs.symlinkSync(path.join(repository, 'node_modules'), path.join(root, 'node_modules'));
  const folder = path.join(root, '.mach/program');
  return { root, folder, write, bundles: () => fs.readdirSync(folder).filter((name) => name.endsWith('.cjs')) };
}

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function start(root: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run(path.join(root, 'bin/mach.js'), args, env);
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { MACH_UNBUNDLED: _unbundled, MACH_DEBUG: _debug, NODE_OPTIONS: _options, ...inherited } = process.env;
  const parameters = [file, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { env: { ...inherited, ...env } }, (error, output, errors) => {
      resolve({ code: error ? Number(error.code) : 0, output, errors });
    });
  });
}

async function startedFrom(root: string, env?: NodeJS.ProcessEnv) {
  const { code, output, errors } = await start(root, [], env);
  expect({ code, errors }).toEqual({ code: 7, errors: '' });
  return JSON.parse(output) as { place: string; text: string; subject: string; lazy: object; program: string };
}

describe('the start of the program', () => {
  it('is from a bundle, in which everything is what it is in the sources', async () => {
    const { root, folder, bundles } = makeProgram();
    const bundled = await startedFrom(root);
    const file = path.join(root, 'parts/lazy.ts');
    const letters = ['bệnh viện', 'đường phố 🏥', 'ăs ă', true];
    expect(bundled).toEqual({
      place: 'bundle',
      text: 'one',
      // Where two of the bundle have one name.
      subject: expect.stringMatching(/^Subject\d*$/),
      lazy: { url: pathToFileURL(file).href, folder: path.dirname(file), file, words: 'import.meta.url', letters },
      program: path.join(root, 'bin/mach.js'),
    });
    expect(await startedFrom(root, { MACH_UNBUNDLED: '1' })).toEqual({
      ...bundled,
      subject: 'Subject',
      place: 'sources',
    });
    expect(await startedFrom(root)).toEqual(bundled);
    expect(await startedFrom(root, { MACH_DEBUG: '1' })).toEqual({ ...bundled, place: 'sources' });
    expect(bundles()).toHaveLength(1);
    const text = fs.readFileSync(path.join(folder, String(bundles()[0])), 'utf8');
    expect(text).toMatch(/^[\0-\x7f]*$/);
    // Naming each closure anew takes forty times as long as making it.
    expect(text).not.toContain('__name(');
  });

  it('makes the bundle of the store as well, which starts by itself', async () => {
    const { root } = makeProgram();
    const file = path.join(root, 'bin/store.js');
    const folder = path.join(root, '.mach/store');
    await startedFrom(root);
    const made = fs.readdirSync(folder).filter((name) => name.endsWith('.cjs'));
    expect(made).toHaveLength(1);
    const started = async (env?: NodeJS.ProcessEnv) => {
      const { code, output, errors } = await run(file, ['data', '0'], env);
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      return JSON.parse(output);
    };
    expect(await started()).toEqual({ place: 'bundle', given: ['data', '0'] });
    expect(await started({ MACH_UNBUNDLED: '1' })).toEqual({ place: 'sources', given: ['data', '0'] });
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.cjs'))).toEqual(made);
    fs.rmSync(folder, { recursive: true });
    expect(await started()).toMatchObject({ place: 'bundle' });
  });

  it('sees that a source, a package or the folder is another', async () => {
    const { root, write, bundles } = makeProgram();
    await startedFrom(root);
    write('parts/greeting.ts', String(files['parts/greeting.ts']).replace('one', 'three'));
    expect(await startedFrom(root)).toMatchObject({ place: 'bundle', text: 'three' });
    expect(bundles()).toHaveLength(2);

    const record = path.join(root, '.mach/program/current.json');
    const before = fs.readFileSync(record, 'utf8');
    write('package-lock.json', '{}');
    await startedFrom(root);
    expect(fs.readFileSync(record, 'utf8')).not.toBe(before);

    const copy = `${root}-copy`;
    fs.cpSync(root, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const lazy = { url: pathToFileURL(path.join(copy, 'parts/lazy.ts')).href };
    expect(await startedFrom(copy)).toMatchObject({ place: 'bundle', text: 'three', lazy });
  });

  it('is right for several at once, also while sources change, and keeps few files', async () => {
    const { root, folder, write } = makeProgram();
    for (let round = 0; round < 6; round++) {
      write('parts/greeting.ts', String(files['parts/greeting.ts']).replace('one', `${'o'.repeat(round)}ne`));
      const started = await Promise.all([startedFrom(root), startedFrom(root)]);
      expect(started.map(({ text }) => text)).toEqual(Array(2).fill(`${'o'.repeat(round)}ne`));
    }
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
    expect(fs.readdirSync(folder).length).toBeLessThanOrEqual(8);
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2), 'bundle'],
    ['empty', () => '', 'bundle'],
    ['not a program, but as long', (text: string) => '('.repeat(text.length), 'sources'],
    ['another program, as long', (text: string) => ' '.repeat(text.length), 'sources'],
  ])('bears a bundle that is %s', async (_title, broken, place) => {
    const { root, folder, bundles } = makeProgram();
    await startedFrom(root);
    const file = path.join(folder, String(bundles()[0]));
    fs.writeFileSync(file, broken(fs.readFileSync(file, 'utf8')));
    expect(await startedFrom(root)).toMatchObject({ place, text: 'one' });
  });

  it('bears a record that is broken', async () => {
    const { root, folder } = makeProgram();
    await startedFrom(root);
    for (const text of ['', '{', 'null', '{}', '[]']) {
      fs.writeFileSync(path.join(folder, 'current.json'), text);
      expect(await startedFrom(root)).toMatchObject({ place: 'bundle', text: 'one' });
    }
  });

  it('is from the sources where no bundle can be kept', async () => {
    const { root, folder } = makeProgram();
    // A file in its place: who runs the tests as root may write in any folder.
    fs.mkdirSync(path.dirname(folder), { recursive: true });
    fs.writeFileSync(folder, '');
    expect(await startedFrom(root)).toMatchObject({ place: 'sources', text: 'one' });
  });

  it('is from the sources where no bundle can be made', async () => {
    const { root, folder, write } = makeProgram();
    const more = "\nexport const never = () => import('./not-there.ts');\n";
    write('parts/lazy.ts', String(files['parts/lazy.ts']) + more);
    expect(await startedFrom(root)).toMatchObject({ place: 'sources', text: 'one' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('keeps what V8 has compiled of it for what the program was started for, and takes no other', async () => {
    const { root, folder } = makeProgram();
    const kept = path.join(root, 'kept');
    fs.mkdirSync(kept);
    const watches = () => start(root, ['watch'], { CACHE_DIRECTORY: kept });
    const asExpected = { code: 0, output: 'FSWatcher\n', errors: '' };
    expect(await start(root, ['fail'], { CACHE_DIRECTORY: kept })).toMatchObject({ code: 1 });
    expect(fs.readdirSync(kept)).toEqual([]);
    expect(await watches()).toEqual(asExpected);
    const names = fs.readdirSync(kept);
    expect(names).toEqual([expect.stringMatching(/^\w+-watch-\w+\.code$/)]);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith('.code'))).toEqual([]);
    const file = path.join(kept, String(names[0]));
    const { ino } = fs.statSync(file);
    expect(await watches()).toEqual(asExpected);
    // It was used: else another file would be in its place.
    expect(fs.statSync(file).ino).toBe(ino);
    const whole = fs.readFileSync(file);
    for (const broken of [
      Buffer.alloc(0),
      whole.subarray(0, -100),
      Buffer.concat([whole.subarray(0, 5_000), Buffer.alloc(whole.length - 5_000)]),
    ]) {
      fs.writeFileSync(file, broken);
      expect(await watches()).toEqual(asExpected);
      expect(fs.readFileSync(file).equals(broken)).toBe(false);
    }
    expect(fs.readdirSync(kept)).toEqual(names);
  });

  it('of the whole command is from a bundle', async () => {
    const kept = fs.mkdtempSync(path.join(parent, 'kept-'));
    expect(await start(repository, ['list'], { CACHE_DIRECTORY: kept })).toMatchObject({ code: 0, errors: '' });
    expect(fs.readdirSync(kept)).toEqual([expect.stringMatching(/^\w+-list-\w+\.code$/)]);
  });

  it('tells a failure in places of the bundle, and with MACH_DEBUG in places of the sources', async () => {
    const { root } = makeProgram();
    const { code, errors } = await start(root, ['fail']);
    expect(code).toBe(1);
    expect(errors).toMatch(/Error: as asked\n {4}at Object\.failure \(.*\.mach\/program\/\w+\.cjs:/);
    const debugged = await start(root, ['fail'], { MACH_DEBUG: '1' });
    expect(debugged.errors).toMatch(/parts\/greeting\.ts:3:/);
  });
});
