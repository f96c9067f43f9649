/**
 * The child process that holds the embedded engine: `bin/store.js DIRECTORY PORT [--detached] [--reserve=BYTES]`.
 *
 * Says `{"port":...,"pid":...,"instance":...}` on stdout when it serves, and `{"notice":...}` for what people must know, each on a line. It ends when its stdin does (its parent is gone) unless detached, and on SIGTERM after a drain.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../../errors.ts';
import { embeddedLimits } from '../limits.ts';
import { type Engine, openEngine } from './engine.ts';
import { exitCodes } from './exit-codes.ts';
import { createStoreServer } from './http-server.ts';
import type { StoreNotice } from './notice.ts';
import { removeState, writeState } from './state-file.ts';

function say(notice: StoreNotice): void {
  // To the file itself: what is said last must be out before the end.
  try {
    writeSync(process.stdout.fd, `${JSON.stringify({ notice })}\n`);
  } catch {
    // Whoever started us is gone, or reads too slowly. What was said stands in the engine's state as well.
  }
}

/** What is not whole must not be answered for: an end that no client takes for an answer. */
function endNow(found: { table: string; part: string; problem: string }): never {
  say({ kind: 'broken-part', ...found });
  process.kill(process.pid, 'SIGKILL');
  throw new Error(`part ${found.part} is not whole: ${found.problem}`);
}

async function open(directory: string, reserveBytes: number | undefined): Promise<Engine> {
  try {
    mkdirSync(directory, { recursive: true });
    return await openEngine({
      directory,
      reserveBytes,
      onBroken: endNow,
      onRoom: ({ low, text }) => say({ kind: low ? 'disk-full' : 'disk-room', text }),
    });
  } catch (error) {
    // The engine has told the reason on stderr itself; whoever started us reads it there (a held folder, too).
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(exitCodes.engineFailed);
  }
}

export async function runProgram(): Promise<void> {
  const [directory, port, ...flags] = process.argv.slice(2);
  if (directory === undefined || port === undefined)
    throw new Error('usage: store.js DIRECTORY PORT [--detached] [--reserve=BYTES]');
  // Ctrl-C reaches the whole process group, but the engine still has to write what it has: its end decides ours.
  process.on('SIGINT', () => {});
  // A limit on the size of files is a write that fails, not our end.
  process.on('SIGXFSZ', () => {});
  const reserve = flags.find((flag) => flag.startsWith('--reserve='))?.slice('--reserve='.length);
  const engine = await open(directory, reserve === undefined ? undefined : Number(reserve));
  for (const healed of engine.healed) say({ kind: 'healed', ...healed });
  const instance = randomUUID();
  const server = createStoreServer(engine, instance);
  server.on('error', (error) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(exitCodes.listenFailed);
  });
  server.listen(Number(port), '127.0.0.1', () => {
    const state = { port: (server.address() as AddressInfo).port, pid: process.pid, instance };
    try {
      writeState(directory, state);
    } catch (error) {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exit(exitCodes.engineFailed);
    }
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
