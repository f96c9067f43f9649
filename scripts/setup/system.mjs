/** What the set-up needs of the machine: running commands with progress shown, and packages of the system by apt. */
import { spawn, spawnSync } from 'node:child_process';

const progressEveryMs = 1_000;
/** Without a terminal a line is printed at these intervals, so that a log shows life without being flooded. */
const plainProgressEveryMs = 10_000;
const outputKeptBytesMax = 64 * 1024;

/** A failure that a person can mend: what, why and what to do are in the message. No stack is shown. */
export class SetupError extends Error {}

/**
 * @typedef {object} Report
 * @property {(text: string) => void} step one line that stays
 * @property {(text: string) => () => void} progress shows `text` with the seconds since; call the result when it is over
 */

/**
 * Progress goes to stderr: stdout belongs to the command that follows the set-up (`--json` and pipes).
 *
 * @param {{ quiet?: boolean, stream?: NodeJS.WriteStream }} [options]
 * @returns {Report}
 */
export function createReport({ quiet = false, stream = process.stderr } = {}) {
  if (quiet) return { step: () => {}, progress: () => () => {} };
  const step = (/** @type {string} */ text) => void stream.write(`set-up: ${text}\n`);
  return { step, progress: (text) => showProgress(text, stream, step) };
}

/** @param {string} text @param {NodeJS.WriteStream} stream @param {(text: string) => void} step */
function showProgress(text, stream, step) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  if (!stream.isTTY) {
    step(`${text} ...`);
    const timer = setInterval(() => step(`${text} ... ${seconds()} s`), plainProgressEveryMs);
    return () => clearInterval(timer);
  }
  const draw = () => void stream.write(`\r\u001b[Kset-up: ${text} ... ${seconds()} s`);
  draw();
  const timer = setInterval(draw, progressEveryMs);
  return () => {
    clearInterval(timer);
    stream.write(`\r\u001b[Kset-up: ${text}, ${seconds()} s\n`);
  };
}

/**
 * Runs a command to its end without a shell and without input.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ code: number, output: string }>} output: stdout and stderr together, the end of it when it is long
 */
export function runCommand(command, args, { cwd, env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-outputKeptBytesMax);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: 127, output: `${output}${error.message}\n` }));
    child.on('close', (code, signal) => resolve({ code: code ?? (signal ? 1 : 0), output }));
  });
}

/** @param {string} command @param {readonly string[]} args */
export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** How a command is run as root here, or null where it cannot be without asking for a password. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : null;
}

/**
 * Installs packages of the system, or says with which command a person can.
 *
 * @param {readonly string[]} packages
 * @param {string} reason
 * @param {Report} report
 */
export async function installSystemPackages(packages, reason, report) {
  const names = packages.join(' ');
  const byHand = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names}`;
  if (!succeeds('apt-get', ['--version'])) {
    throw new SetupError(
      `${reason}.\n  Install the equivalent of Debian's ${names} with this system's own package manager.`,
    );
  }
  const prefix = rootPrefix();
  if (prefix === null) {
    throw new SetupError(`${reason}, and this user can install nothing without a password.\n  Run: ${byHand}`);
  }
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'DPkg::Lock::Timeout=120'];
  const done = report.progress(`installing ${names} by apt`);
  try {
    // A failed update is not the end: the lists on the machine may do.
    await runCommand(apt[0] ?? 'env', [...apt.slice(1), 'update']);
    const install = [...apt.slice(1), 'install', '-y', '--no-install-recommends', ...packages];
    const { code, output } = await runCommand(apt[0] ?? 'env', install);
    if (code !== 0)
      throw new SetupError(`${reason}, and apt could not install it:\n${indent(lastLines(output))}\n  Run: ${byHand}`);
  } finally {
    done();
  }
}

/** @param {string} text @param {number} [count] */
export function lastLines(text, count = 15) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** What npm says went wrong: its errors, which begin with the reason and end with its usage; else its warnings. @param {string} output */
export function errorLines(output) {
  const linesMax = 12;
  const lines = output.split('\n').filter((line) => line.trim() && !/^npm warn deprecated/i.test(line));
  const errors = lines.filter((line) => /^npm error ?\S/i.test(line));
  return [...new Set(errors.length > 0 ? errors : lines)].slice(0, linesMax).join('\n');
}

/** @param {string} text */
export function indent(text) {
  return text.replace(/^/gm, '    ');
}
