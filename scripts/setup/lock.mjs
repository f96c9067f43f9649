/** One set-up at a time in a checkout: two `npm ci` at once would take each other's files away. */
import fs from 'node:fs';
import path from 'node:path';
import { SetupError } from './system.mjs';

const heartbeatMs = 1_000;
/** A holder that has not shown life for this long is gone: killed, or its machine stopped. */
const staleAfterMs = 15_000;
const waitMsMax = 20 * 60_000;
const pollMs = 200;

/**
 * Runs `work` while holding `file`, waiting for whoever holds it now. The holder touches the file every second, so that
 * a file left behind by a killed set-up is recognised across containers and reboots, where process ids mean nothing.
 *
 * @template T
 * @param {string} file
 * @param {{ report: import('./system.mjs').Report, work: () => Promise<T> }} options
 * @returns {Promise<T>}
 */
export async function withLock(file, { report, work }) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  await acquire(file, report);
  const heartbeat = setInterval(() => touch(file), heartbeatMs);
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  const stop = () => process.exit(130);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release).off('SIGINT', stop).off('SIGTERM', stop);
    release();
  }
}

/** @param {string} file @param {import('./system.mjs').Report} report */
async function acquire(file, report) {
  const deadline = Date.now() + waitMsMax;
  let waited = () => {};
  let waiting = false;
  try {
    while (!create(file)) {
      if (removeStale(file)) continue;
      if (Date.now() > deadline)
        throw new SetupError(`another set-up holds ${file} for too long.\n  When none is running, remove that file.`);
      if (!waiting) waited = report.progress('waiting for another set-up of this checkout');
      waiting = true;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } finally {
    waited();
  }
}

/** @param {string} file */
function create(file) {
  try {
    fs.writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} file @returns {boolean} whether it is gone, so that it is worth trying again at once */
function removeStale(file) {
  try {
    if (Date.now() - fs.statSync(file).mtimeMs < staleAfterMs) return false;
    // Renamed first: of two that find it stale, one gets it, and the other cannot remove the new holder's file.
    const aside = `${file}.${process.pid}`;
    fs.renameSync(file, aside);
    fs.rmSync(aside, { force: true });
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
  }
}

/** @param {string} file */
function touch(file) {
  try {
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {
    // Removed by hand: the work in hand is still safe to finish, as each of its results is put in place by a rename.
  }
}
