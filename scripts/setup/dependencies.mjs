/** The npm dependencies, exactly as `package-lock.json` has them. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { sha256 } from './archive.mjs';
import { errorLines, indent, installSystemPackages, lastLines, runCommand, SetupError } from './system.mjs';

/** What `npm ci` needs on the disk, with its cache. */
const diskBytesNeeded = 1_500_000_000;
const stampName = '.mach-setup.json';

/** Libraries that a bare system may lack, and the Debian and Ubuntu packages that hold them. */
const libraryPackages = new Map([
  ['libstdc++.so.6', 'libstdc++6'],
  ['libgcc_s.so.1', 'libgcc-s1'],
  ['libatomic.so.1', 'libatomic1'],
  ['libgomp.so.1', 'libgomp1'],
]);

/** @param {string} root */
function lockStamp(root) {
  const lock = sha256(fs.readFileSync(path.join(root, 'package-lock.json')));
  return JSON.stringify({ lock, platform: `${process.platform}-${process.arch}` });
}

/** @param {string} file */
function readOrNull(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Whether `node_modules` is what the lock file says. `npm ci` removes our stamp with everything else, so an interrupted
 * one is never taken for a finished one.
 *
 * @param {string} root
 */
export function areDependenciesCurrent(root) {
  const stamp = path.join(root, 'node_modules', stampName);
  const wanted = lockStamp(root);
  const present = readOrNull(stamp);
  if (present === wanted) return true;
  // Installed by hand (`npm install NAME`): npm's own record says whether it is the same tree.
  const otherPlatform = present !== null && JSON.parse(present).platform !== JSON.parse(wanted).platform;
  if (otherPlatform || !matchesInstalled(root)) return false;
  fs.writeFileSync(stamp, wanted);
  return true;
}

/** @param {string} root */
function matchesInstalled(root) {
  const installed = readOrNull(path.join(root, 'node_modules', '.package-lock.json'));
  const lock = readOrNull(path.join(root, 'package-lock.json'));
  if (installed === null || lock === null) return false;
  const { packages: have } = JSON.parse(installed);
  const { packages: want } = JSON.parse(lock);
  const surplus = Object.keys(have).some((name) => !(name in want));
  return !surplus && Object.keys(want).every((name) => name === '' || isSatisfied(have[name], want[name]));
}

/**
 * A package that is absent must be an optional one that was made for another platform, or one (WebAssembly) for none.
 *
 * @param {{ version?: string } | undefined} have
 * @param {{ version: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} want
 */
function isSatisfied(have, want) {
  if (have) return have.version === want.version;
  if (!want.optional) return false;
  const isForHere =
    want.os?.includes(process.platform) && want.cpu?.includes(process.arch) && (want.libc?.includes('glibc') ?? true);
  return !isForHere;
}

/**
 * @param {string} root
 * @param {import('./system.mjs').Report} report
 */
export async function installDependencies(root, report) {
  try {
    await runNpm(root, report);
    await verifyEngine(root, report);
  } catch (error) {
    // Without npm's own record, what it left behind is not taken for a finished installation.
    fs.rmSync(path.join(root, 'node_modules', '.package-lock.json'), { force: true });
    throw error;
  }
  fs.writeFileSync(path.join(root, 'node_modules', stampName), lockStamp(root));
}

/** @param {string} root @param {import('./system.mjs').Report} report */
async function runNpm(root, report) {
  const done = report.progress('installing the locked npm dependencies (830 MB on disk)');
  // No package that we use needs its install script, and one that is not run can do no harm.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=warn'];
  // Without a network npm would retry for minutes before it says so.
  const patience = ['--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=15000'];
  const { code, output } = await runCommand('npm', [...args, ...patience], { cwd: root });
  done();
  // On a full disk npm leaves files cut short, warns and exits with 0.
  const isCutShort = /TAR_\w*ERROR|ENOSPC/.test(output);
  if (code === 0 && !isCutShort) return;
  throw new SetupError(`npm ci failed:\n${indent(errorLines(output))}\n  ${adviceFor(output, root)}`);
}

/** @param {string} output of npm @param {string} root */
function adviceFor(output, root) {
  const { bavail, bsize } = fs.statfsSync(root);
  const free = bavail * bsize;
  if (/ENOSPC/.test(output) || free < diskBytesNeeded / 10) {
    return `The disk is full or nearly so (${Math.floor(free / 1e6)} MB free; ${diskBytesNeeded / 1e6} MB are needed). Make room and run this again.`;
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i.test(output)) {
    return 'The npm registry cannot be reached. Check the network (npm config get registry; npm ping) and run this again.';
  }
  if (/spawn npm ENOENT/.test(output))
    return 'npm is not in PATH. Install it with Node (https://nodejs.org) and run this again.';
  return 'Mend what npm says and run this again.';
}

/**
 * The embedded ClickHouse is a native library: whether it loads is known only by loading it, once, after the install.
 *
 * @param {string} root
 * @param {import('./system.mjs').Report} report
 */
async function verifyEngine(root, report) {
  const done = report.progress('checking that the embedded ClickHouse loads');
  let problem = loadEngine(root);
  done();
  const missing = /(lib[\w+.-]+\.so[.\d]*): cannot open shared object file/.exec(problem ?? '')?.[1];
  const wanted = missing && libraryPackages.get(missing);
  if (wanted) {
    await installSystemPackages([wanted], `the embedded ClickHouse needs ${missing}`, report);
    problem = loadEngine(root);
  }
  if (problem === null) return;
  const text = `the embedded ClickHouse does not load here:\n${indent(lastLines(problem, 6))}`;
  if (!process.env.CLICKHOUSE_URL) {
    throw new SetupError(
      `${text}\n  It needs Linux with glibc (x64 or arm64). Elsewhere set CLICKHOUSE_URL to a server and run this again.`,
    );
  }
  report.step(`${text}\n  CLICKHOUSE_URL is set and is used instead.`);
}

/** @param {string} root @returns {string | null} what the loader said, or null when it loads */
function loadEngine(root) {
  const options = /** @type {const} */ ({ cwd: root, encoding: 'utf8', timeout: 120_000 });
  const script = "try { require('chdb') } catch (error) { console.error(error.message); process.exit(1) }";
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], options);
  if (status === 0) return null;
  return stderr || `the process ended with ${signal ?? `code ${status}`}`;
}
