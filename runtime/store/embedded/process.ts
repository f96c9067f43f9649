/**
 * The child process that holds the embedded engine: `process.ts DIRECTORY PORT [--detached]`.
 *
 * Says `{"port":...,"pid":...,"instance":...}` on stdout when it serves. It ends when its stdin does (its parent is gone) unless detached, and on SIGTERM after a drain.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../errors.ts';
import { embeddedLimits } from '../limits.ts';
import { type Engine, openEngine } from './engine.ts';
import { exitCodes } from './exit-codes.ts';
import { createStoreServer } from './http-server.ts';
import { removeState, writeState } from './state-file.ts';

async function open(directory: string): Promise<Engine> {
  try {
    mkdirSync(directory, { recursive: true });
    return await openEngine(directory);
  } catch (error) {
    // The engine has told the reason on stderr itself; whoever started us reads it there (a held folder, too).
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(exitCodes.engineFailed);
  }
}

async function main(): Promise<void> {
  const [directory, port, ...flags] = process.argv.slice(2);
  if (directory === undefined || port === undefined) throw new Error('usage: process.ts DIRECTORY PORT [--detached]');
  // Ctrl-C reaches the whole process group, but the engine still has to write what it has: its end decides ours.
  process.on('SIGINT', () => {});
  const engine = await open(directory);
  const instance = randomUUID();
  const server = createStoreServer(engine, instance);
  server.on('error', (error) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(exitCodes.listenFailed);
  });
  server.listen(Number(port), '127.0.0.1', () => {
    const state = { port: (server.address() as AddressInfo).port, pid: process.pid, instance };
    writeState(directory, state);
    process.stdout.write(`${JSON.stringify(state)}\n`);
  });

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    // Never longer than the drain: what is acknowledged is on disk, so an end in the middle loses nothing.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), embeddedLimits.drainMs).unref();
    server.close();
    server.closeIdleConnections();
    await engine.idle();
    removeState(directory, instance);
    await engine.close();
    server.closeAllConnections();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  if (flags.includes('--detached')) return;
  process.stdin.on('end', () => void stop());
  process.stdin.on('error', () => void stop());
  process.stdin.resume();
}

await main();
