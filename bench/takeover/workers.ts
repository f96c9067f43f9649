/** Workers under test: `mach run` processes on one NATS server and one store. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { EngineStatus } from '../../runtime/observe/status.ts';
import { heapFlags } from '../machine.ts';

const topologyFile = fileURLToPath(new URL('./topology.yaml', import.meta.url));
const command = fileURLToPath(new URL('../../bin/mach.js', import.meta.url));

/** A worker that is filled with state answers slowly. */
const answerMs = 60_000;

export interface Worker {
  status(): Promise<EngineStatus>;
  kill(): void;
  /** Drains it. */
  stop(): Promise<void>;
}

/** Resolves when it says that it runs. Rejects with its log when it ends before that. */
export async function startWorker(args: {
  directory: string;
  env: Readonly<Record<string, string>>;
  options?: readonly string[];
}): Promise<Worker> {
  const child: ChildProcess = spawn(
    process.execPath,
    [...heapFlags, command, 'run', topologyFile, '--data', args.directory, '--json', ...(args.options ?? [])],
    { env: { ...process.env, ...args.env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const killWithUs = () => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'exit').finally(() => process.off('exit', killWithUs));
  const lines: string[] = [];
  const observe = await new Promise<string>((resolve, reject) => {
    void ended.then(([code]) => reject(new Error(`a worker ended with ${code}:\n${lines.join('\n')}`)));
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(line);
      const { msg, observe: address } = line.startsWith('{') ? JSON.parse(line) : {};
      if (msg === 'running') resolve(String(address));
    });
  });
  let wanted = false;
  return {
    async status() {
      try {
        return (await (
          await fetch(`${observe}/status`, { signal: AbortSignal.timeout(answerMs) })
        ).json()) as EngineStatus;
      } catch (error) {
        const end = wanted ? '' : `; its log ends with\n${lines.slice(-20).join('\n')}`;
        throw new Error(`a worker does not answer${end}`, { cause: error });
      }
    },
    kill() {
      wanted = true;
      child.kill('SIGKILL');
    },
    async stop() {
      wanted = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Resolves when the workers run these many partitions each. */
export async function untilShared(workers: readonly Worker[], each: number): Promise<void> {
  for (;;) {
    const all = await Promise.all(workers.map((worker) => worker.status()));
    if (all.every(({ partitions }) => partitions.owned.length === each)) return;
    await sleep(50);
  }
}
