/**
 * Room on the disk of the server, as the engine that started the server tells every client of it over a plain subject: that way is open
 * however full the disk is, and reaches the workers in other processes.
 */
import type { Clock, Timer } from '../../clock.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../log.ts';
import { serverLimits } from '../server-limits.ts';
import type { Connection } from './connection.ts';

const subject = 'mach._log.room';

interface Word {
  /** Why nothing may be appended, or null. */
  readonly problem: string | null;
}

function readWord(payload: Uint8Array): Word | undefined {
  try {
    const { problem } = JSON.parse(Buffer.from(payload).toString('utf8')) as Partial<Word>;
    return problem === null || typeof problem === 'string' ? { problem } : undefined;
  } catch {
    return undefined;
  }
}

export interface RoomFollower {
  readonly problem: string | null;
  close(): void;
}

/** Calls `onChange` when the server runs out of room and when it has room again. */
export function followRoom(
  connection: Connection,
  clock: Clock,
  onChange: (problem: string | null) => void,
): RoomFollower {
  let problem: string | null = null;
  let silence: Timer | undefined;
  const hear = (next: string | null) => {
    silence?.cancel();
    // Whoever told us may be gone without another word.
    if (next !== null) silence = clock.after(serverLimits.roomSilenceMs, () => hear(null));
    if (next === problem) return;
    problem = next;
    connection.held = next !== null;
    onChange(next);
  };
  const subscription = connection.nats.subscribe(subject, {
    callback: (error, message) => {
      const word = error ? undefined : readWord(message.data);
      if (word) hear(word.problem);
    },
  });
  return {
    get problem() {
      return problem;
    },
    close() {
      silence?.cancel();
      subscription.unsubscribe();
    },
  };
}

/** Tells the clients of a server that we run whether it has room, until the function that it gives is called. */
export function announceRoom(log: Log, server: { readonly problem: string | null }): () => void {
  let told: string | null = null;
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = () => {
    const { problem } = server;
    const now = performance.now();
    if ((problem === null) === (told === null) && now - toldAt < serverLimits.roomBeatMs) return;
    told = problem;
    toldAt = now;
    log.publish(subject, Buffer.from(JSON.stringify({ problem } satisfies Word)));
  };
  const timer = setInterval(tell, limits.diskLookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
