/**
 * One run of the nats-server program, under a shell that ends it when this process is gone.
 *
 * The shell holds the read end of a pipe whose write end only we have. When we die, however we die, the pipe ends and the
 * shell ends the server. It runs in its own process group, so that Ctrl-C in a terminal reaches the engine alone: the
 * engine drains first and stops the server last.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { serverLimits } from './server-limits.ts';

// $1: seconds between TERM and KILL; the rest: the command. Background jobs of sh have no stdin, hence the copy on 3.
const supervisor = `
grace=$1; shift
exec 3<&0
"$@" 3<&- </dev/null & server=$!
echo "$server"
( exec >/dev/null; read -r line <&3; kill -TERM "$server" 2>/dev/null
  n=0; while [ "$n" -lt "$grace" ] && kill -0 "$server" 2>/dev/null; do sleep 1; n=$((n+1)); done
  kill -KILL "$server" 2>/dev/null ) & watcher=$!
exec 3<&-
wait "$server"; code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

export interface ServerRun {
  readonly processId: number;
  /** Resolves when the server is gone, with its exit code (128 + signal number when a signal ended it). */
  readonly ended: Promise<number>;
  /** The end of what it printed, bounded. */
  output(): string;
  /** Asks it to stop; kills it after the deadline. Resolves when it is gone. */
  stop(deadlineMs: number): Promise<void>;
}

export function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch {
    // It is gone already, which is what signals are sent here for.
  }
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    tail = (tail + text).slice(-serverLimits.serverOutputCharactersKept);
  });
  return () => tail.trim();
}

/** Starts the program; rejects when it cannot be started at all. */
export async function runServer(program: string, parameters: readonly string[]): Promise<ServerRun> {
  const graceSeconds = String(Math.ceil(serverLimits.serverStopDeadlineMs / 1000));
  const child = spawn('/bin/sh', ['-c', supervisor, 'mach-nats-server', graceSeconds, program, ...parameters], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const output = keepTail(child);
  // The pipe breaks when the supervisor ends first; that is seen through `ended`.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? 1));
    child.once('error', () => resolve(127));
  });
  const processId = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.setEncoding('utf8');
    child.stdout?.once('data', (text: string) => resolve(Number.parseInt(text, 10)));
    child.once('close', () => reject(new Error(output() || 'the supervising shell ended at once')));
  });
  return {
    processId,
    ended,
    output,
    async stop(deadlineMs) {
      sendSignal(processId, 'SIGTERM');
      const killer = setTimeout(() => sendSignal(processId, 'SIGKILL'), deadlineMs);
      await ended;
      clearTimeout(killer);
    },
  };
}
