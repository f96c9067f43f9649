import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readZipEntry, verifySha256 } from './setup/archive.mjs';
import { areDependenciesCurrent } from './setup/dependencies.mjs';
import { withLock } from './setup/lock.mjs';
import { findNatsServer, fromRelease, pinnedNats, pinnedProgram, placeProgram } from './setup/nats-server.mjs';
import { createReport, SetupError } from './setup/system.mjs';
import { findVersion, isAtLeast } from './setup/versions.mjs';

const parent = fs.mkdtempSync(path.join(tmpdir(), 'mach-setup-'));
afterAll(() => fs.rmSync(parent, { recursive: true, force: true }));

const makeFolder = () => fs.mkdtempSync(path.join(parent, 'case-'));
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const silent = createReport({ quiet: true });

function writeProgram(folder: string, name: string, script: string): string {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  fs.writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

/** A zip of one deflated file, as section 4.3 of PKWARE's APPNOTE has it. */
function makeZip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const nameBytes = Buffer.from(name);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([Buffer.from('504b0304', 'hex'), shared, nameBytes, packed]);
  const directory = Buffer.concat([Buffer.from('504b01021403', 'hex'), shared, Buffer.alloc(14), nameBytes]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, directory, end]);
}

describe('versions', () => {
  it.each([
    ['2.12.0', '2.12.0', true],
    ['2.9.25', '2.12.0', false],
    ['2.15.1', '2.12.0', true],
    ['3.0.0', '2.12.0', true],
    ['20.18.9', '20.19.0', false],
    ['22.0.0', '20.19.0', true],
  ])('%s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  it('finds the version in what a program says', () => {
    expect(findVersion('nats-server: v2.15.1\n')).toBe('2.15.1');
    expect(findVersion('command not found')).toBeNull();
  });
});

describe('archives', () => {
  const content = Buffer.from('a program '.repeat(1000));
  const zip = makeZip('nats/nats-server', content);
  const isProgram = (name: string) => name.endsWith('/nats-server');

  it('reads the file that is asked for', () => {
    expect(readZipEntry(zip, isProgram, content.length).equals(content)).toBe(true);
  });

  it('refuses what is damaged, too large or not there, and says so', () => {
    expect(() => readZipEntry(zip.subarray(0, zip.length - 30), isProgram, content.length)).toThrow(SetupError);
    expect(() => readZipEntry(Buffer.alloc(0), isProgram, content.length)).toThrow(SetupError);
    expect(() => readZipEntry(zip, isProgram, content.length - 1)).toThrow(/more than the 9999 expected/);
    expect(() => readZipEntry(zip, () => false, content.length)).toThrow(/does not hold the file/);
    const torn = Buffer.from(zip);
    torn.fill(0xff, 46, 60);
    expect(() => readZipEntry(torn, isProgram, content.length)).toThrow(SetupError);
  });

  it('refuses a file that was tampered with', () => {
    const tampered = Buffer.from(content);
    tampered[500] = (tampered[500] ?? 0) ^ 1;
    expect(() => verifySha256(content, sha256(content), 'it')).not.toThrow();
    expect(() => verifySha256(tampered, sha256(content), 'it')).toThrow(/not the one that was pinned and was not used/);
  });
});

describe('finding nats-server', () => {
  const find = (root: string, ...folders: string[]) => findNatsServer(root, { PATH: folders.join(path.delimiter) });

  it('takes the one in PATH only when it is new enough', () => {
    const [root, old, current, broken] = [makeFolder(), makeFolder(), makeFolder(), makeFolder()];
    writeProgram(old, 'nats-server', 'echo "nats-server: v2.11.9"');
    const good = writeProgram(current, 'nats-server', 'echo "nats-server: v2.12.0"');
    writeProgram(broken, 'nats-server', 'exit 1');
    expect(find(root, current)).toBe(good);
    expect(find(root, old)).toBeNull();
    expect(find(root, broken)).toBeNull();
    expect(find(root, makeFolder())).toBeNull();
    expect(find(root)).toBeNull();
  });

  it('takes one of the user by name', () => {
    const program = writeProgram(makeFolder(), 'my-nats', 'echo "nats-server: v2.14.0"');
    expect(findNatsServer(makeFolder(), { MACH_NATS_SERVER: program })).toBe(program);
  });

  it('takes the one in .mach/bin when it is whole, without starting it', () => {
    const [root, scratch] = [makeFolder(), makeFolder()];
    const target = path.join(root, '.mach/bin/nats-server');
    placeProgram(Buffer.alloc(pinnedProgram()?.programBytes ?? 0), target, scratch);
    expect(find(root)).toBe(target);
    expect(fs.statSync(target).mode & 0o777).toBe(0o755);
    expect(fs.readdirSync(scratch)).toEqual([]);
    fs.truncateSync(target, 1000);
    expect(find(root)).toBeNull();
  });
});

describe('fetching the release', () => {
  const program = Buffer.from('a server of our own\n');
  const pin = { release: 'linux-amd64', wheelSha256: '', programSha256: sha256(program), programBytes: program.length };
  const name = `nats-server-v${pinnedNats.version}-linux-amd64`;

  async function fetchFrom(answer: Buffer | null): Promise<{ got: Buffer | null; said: string[] }> {
    const server = createServer((_, response) => response.writeHead(answer ? 200 : 404).end(answer ?? undefined));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const said: string[] = [];
    const report = { step: (text: string) => void said.push(text), progress: () => () => {} };
    try {
      const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { got: await fromRelease(pin, report, from), said };
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('gives the program that is pinned', async () => {
    const { got, said } = await fetchFrom(makeZip(`${name}/nats-server`, program));
    expect(got?.equals(program)).toBe(true);
    expect(said).toEqual([]);
  });

  it('leaves another program alone and says why', async () => {
    const other = Buffer.from('a server of theirs.\n');
    const { got, said } = await fetchFrom(makeZip(`${name}/nats-server`, other));
    expect(got).toBeNull();
    expect(said.join()).toContain('not the one that was pinned');
  });

  it.each([
    ['what is not there', null],
    ['what is no zip', Buffer.from('<html>a page of a proxy</html>')],
  ])('goes on without %s', async (_, answer) => {
    const { got, said } = await fetchFrom(answer);
    expect(got).toBeNull();
    expect(said).toHaveLength(1);
  });

  it('goes on without a host that cannot be reached', async () => {
    expect(await fromRelease(pin, silent, 'http://127.0.0.1:1')).toBeNull();
  });
});

describe('npm dependencies', () => {
  const packages = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/other-system': { version: '1.0.0', optional: true, os: ['plan9'], cpu: [process.arch] },
    'node_modules/this-system': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
  };

  function makeRoot(installed: Record<string, { version: string }> | null): string {
    const root = makeFolder();
    fs.mkdirSync(path.join(root, 'node_modules'));
    fs.writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages }));
    const record = path.join(root, 'node_modules/.package-lock.json');
    if (installed) fs.writeFileSync(record, JSON.stringify({ packages: installed }));
    return root;
  }
  const current = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/this-system': { version: '1.0.0' } };

  it('are current when npm installed what the lock file says, until the lock file changes', () => {
    const root = makeRoot(current);
    expect(areDependenciesCurrent(root)).toBe(true);
    expect(areDependenciesCurrent(root)).toBe(true);
    const changed = { packages: { ...packages, 'node_modules/a': { version: '1.0.1' } } };
    fs.writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(changed));
    expect(areDependenciesCurrent(root)).toBe(false);
  });

  it.each([
    ['nothing is recorded, as after an interrupted npm ci', null],
    ['a package is absent', { 'node_modules/this-system': { version: '1.0.0' } }],
    ['an optional package of this system is absent', { 'node_modules/a': { version: '1.0.0' } }],
    ['a package has another version', { ...current, 'node_modules/a': { version: '0.9.0' } }],
    ['there is a package too many', { ...current, 'node_modules/b': { version: '1.0.0' } }],
  ])('are not when %s', (_, installed) => {
    expect(areDependenciesCurrent(makeRoot(installed))).toBe(false);
  });
});

describe('one set-up at a time', () => {
  it('lets a second one wait for the first', async () => {
    const file = path.join(makeFolder(), 'setup.lock');
    const order: string[] = [];
    const work = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((done) => setTimeout(done, 20));
      order.push(`${name} ends`);
    };
    const run = (name: string) => withLock(file, { report: silent, work: work(name) });
    await Promise.all([run('a'), run('b')]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(fs.existsSync(file)).toBe(false);
  });

  it('takes over from one that was killed', async () => {
    const file = path.join(makeFolder(), 'setup.lock');
    fs.writeFileSync(file, '1\n');
    const longAgo = new Date(Date.now() - 60_000);
    fs.utimesSync(file, longAgo, longAgo);
    expect(await withLock(file, { report: silent, work: async () => 'done' })).toBe('done');
  });

  it('is free again after a failure', async () => {
    const file = path.join(makeFolder(), 'setup.lock');
    const failing = withLock(file, { report: silent, work: () => Promise.reject(new Error('no')) });
    await expect(failing).rejects.toThrow('no');
    expect(fs.existsSync(file)).toBe(false);
  });
});

/** A checkout with the real script and with an npm and a nats-server of our own, which leave a trace of each call. */
describe('the whole script', () => {
  const installs = `echo called >> "$TRACE"
rm -rf node_modules; mkdir -p node_modules/chdb
echo 'module.exports = {};' > node_modules/chdb/index.js`;

  function makeCheckout(npm: string) {
    const [root, programs] = [makeFolder(), makeFolder()];
    fs.cpSync(import.meta.dirname, path.join(root, 'scripts'), { recursive: true });
    fs.writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {} } }));
    writeProgram(programs, 'npm', npm);
    writeProgram(programs, 'nats-server', 'echo "nats-server: v2.15.1"');
    const trace = path.join(root, 'trace');
    const calls = () => (fs.existsSync(trace) ? fs.readFileSync(trace, 'utf8').trim().split('\n').length : 0);
    const env = {
      ...process.env,
      PATH: `${programs}:/usr/bin:/bin`,
      TRACE: trace,
      CLICKHOUSE_URL: '',
      MACH_NATS_SERVER: '',
    };
    const run = () =>
      new Promise<{ code: number | null; said: string }>((done) => {
        const child = spawn(process.execPath, [path.join(root, 'scripts/setup.mjs')], { env });
        let said = '';
        child.stderr?.on('data', (chunk) => {
          said += chunk;
        });
        child.on('close', (code) => done({ code, said }));
      });
    return { root, calls, run };
  }

  it('makes a checkout ready, and then has nothing to do or say', async () => {
    const { calls, run } = makeCheckout(installs);
    const first = await run();
    expect(first.said).toContain('set-up: installing the locked npm dependencies');
    expect(first.said).toMatch(/set-up: ready\n$/);
    expect(first.code).toBe(0);
    expect(await run()).toEqual({ code: 0, said: '' });
    expect(calls()).toBe(1);
  });

  it('installs once when two are started at once', async () => {
    const { calls, run } = makeCheckout(`sleep 0.2\n${installs}`);
    const results = await Promise.all([run(), run()]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    expect(calls()).toBe(1);
  });

  it.each([
    ['no network', 'echo "npm error code EAI_AGAIN" >&2; exit 1', 'The npm registry cannot be reached'],
    ['a full disk', 'echo "npm error code ENOSPC" >&2; exit 228', 'The disk is full'],
    ['files cut short', `${installs}; echo "npm warn tar TAR_ENTRY_ERROR ENOSPC" >&2`, 'The disk is full'],
    [
      'a library that does not load',
      'mkdir -p node_modules; echo \'{"packages":{}}\' > node_modules/.package-lock.json',
      'the embedded ClickHouse does not load here',
    ],
  ])('says what to do about %s, also when it is run again', async (_, npm, advice) => {
    const { root, run } = makeCheckout(npm);
    await run();
    const { code, said } = await run();
    expect(code).toBe(1);
    expect(said).toContain('set-up failed: ');
    expect(said).toContain(advice);
    expect(said).not.toContain('    at ');
    expect(fs.existsSync(path.join(root, 'node_modules/.mach-setup.json'))).toBe(false);
    expect(fs.readdirSync(path.join(root, '.mach'))).toEqual([]);
  });
});
