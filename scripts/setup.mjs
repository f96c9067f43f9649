#!/usr/bin/env node
/**
 * Makes a fresh clone ready: npm dependencies, `nats-server`, and what they need of the system. Uses nothing but Node, so
 * that it can run before anything is installed. Says nothing and takes no time when there is nothing to do.
 *
 * Usage: node scripts/setup.mjs [--quiet] [--browser]     exit code 0: ready; 1: not, and the message says what to do
 * --browser: also Chromium, which tests alone need; without it they pass some over
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasBrowser, installBrowser } from './setup/browser.mjs';
import { areDependenciesCurrent, installDependencies } from './setup/dependencies.mjs';
import { withLock } from './setup/lock.mjs';
import { findNatsServer, installNatsServer } from './setup/nats-server.mjs';
import { createReport, SetupError } from './setup/system.mjs';
import { isAtLeast, nodeVersionMin } from './setup/versions.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @param {import('./setup/system.mjs').Report} report */
async function setUp(report) {
  if (!isAtLeast(process.versions.node, nodeVersionMin)) {
    throw new SetupError(
      `Node ${process.versions.node} is too old: ${nodeVersionMin} or newer is needed.\n` +
        '  Install a current Node (https://nodejs.org/en/download) and run this again.',
    );
  }
  const wantsBrowser = process.argv.includes('--browser') && !hasBrowser();
  if (areDependenciesCurrent(root) && findNatsServer(root) && !wantsBrowser) return;
  await withLock(path.join(root, '.mach', 'setup.lock'), { report, work: () => makeReady(report) });
  report.step('ready');
}

/** What is missing is looked up again: another set-up may have just done it. @param {import('./setup/system.mjs').Report} report */
async function makeReady(report) {
  const scratchParent = path.join(root, '.mach', 'setup');
  // Left behind by a set-up that was killed: we hold the lock, so nobody uses it.
  fs.rmSync(scratchParent, { recursive: true, force: true });
  fs.mkdirSync(scratchParent, { recursive: true });
  try {
    if (!areDependenciesCurrent(root)) await installDependencies(root, report);
    if (!findNatsServer(root)) await installOrUseGiven(scratchParent, report);
    if (process.argv.includes('--browser') && !hasBrowser()) await installBrowser(report);
  } finally {
    fs.rmSync(scratchParent, { recursive: true, force: true });
  }
}

/** A server of the user's own makes a failure to fetch one bearable. @param {string} scratch @param {import('./setup/system.mjs').Report} report */
async function installOrUseGiven(scratch, report) {
  try {
    await installNatsServer(root, scratch, report);
  } catch (error) {
    if (!process.env.NATS_URL || !(error instanceof SetupError)) throw error;
    report.step(`${error.message}\n  NATS_URL is set and is used instead.`);
  }
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof SetupError) return error.message;
  const { code, message, stack } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return `the disk is full: ${message}\n  Make room and run this again.`;
  if (code === 'EACCES' || code === 'EROFS')
    return `this user may not write here: ${message}\n  Run it as the owner of ${root}.`;
  return stack ?? String(error);
}

try {
  await setUp(createReport({ quiet: process.argv.includes('--quiet') }));
} catch (error) {
  process.stderr.write(`set-up failed: ${explain(error)}\n`);
  process.exitCode = 1;
}
