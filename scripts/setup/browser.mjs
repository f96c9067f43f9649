/** Chromium, for the tests of the boards in a browser. Nothing else needs it: without it those tests are passed over, and say so. */
import fs from 'node:fs';
import path from 'node:path';
import { installSystemPackages, SetupError } from './system.mjs';

/** As `runtime/testing/with-browser.ts` looks for it. */
const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** @param {NodeJS.ProcessEnv} env @returns {boolean} */
export function hasBrowser(env = process.env) {
  if (env.MACH_CHROMIUM) return true;
  const folders = (env.PATH ?? '').split(path.delimiter);
  return folders.some((folder) => names.some((name) => isProgram(path.join(folder, name))));
}

/** @param {string} file */
function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs it where this user may; else says how a person can, and goes on.
 *
 * @param {import('./system.mjs').Report} report
 */
export async function installBrowser(report) {
  try {
    await installSystemPackages(['chromium'], 'tests of the boards need a browser', report);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    report.step(`${error.message}\n  Without it the tests in a browser are passed over.`);
  }
}
