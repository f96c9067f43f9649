/** The engine under test: `mach run` as a process of its own, with embedded servers in a folder that is thrown away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Accounting as EngineAccounting } from '../../runtime/stream/ledger.ts';
import { cpuSecondsOf, descendantsOf } from '../machine.ts';

export const topologyFile = fileURLToPath(new URL('./topology.yaml', import.meta.url));
const command = fileURLToPath(new URL('../../bin/mach.js', import.meta.url));
const startDeadlineMs = 60_000;

/** The accounts of the engine, as `/status` gives them. */
export type Accounting = Readonly<Omit<EngineAccounting, 'dropped_by_reason'>>;

export interface BenchEngine {
  readonly feedAddress: string;
  readonly hl7Port: number;
  readonly storeUrl: string;
  /** Messages of its input log, and events in them, so far. */
  frames(): Promise<{ messages: number; events: number }>;
  /** Processor time so far, s, of the engine and its two servers. */
  cpuSeconds(): Readonly<Record<'engine' | 'nats' | 'store', number>>;
  /** Drains it; resolves with its accounts. */
  stop(): Promise<Accounting>;
  kill(): void;
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** `profileFolder`: where V8 leaves a CPU profile of the engine when it ends. */
export async function startEngine(directory: string, profileFolder?: string): Promise<BenchEngine> {
  const { NATS_URL: _nats, CLICKHOUSE_URL: _store, ...env } = process.env;
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const child = spawn(process.execPath, [...profile, command, 'run', topologyFile, '--data', directory, '--json'], {
    env,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const lines: LogLine[] = [];
  const running = followLog(child, lines);
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the engine ended with ${code}:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`);
  });
  failed.catch(() => undefined);
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error('the engine did not start in time')), startDeadlineMs).unref(),
  );
  await Promise.race([running, failed, late]);
  const field = (message: string, name: string, where: (line: LogLine) => boolean = () => true) =>
    String(lines.find((line) => line.msg === message && where(line))?.[name] ?? '').split(' ')[0] ?? '';
  const hl7 = field('source open', 'address', (line) => line.source === 'hospitals');
  const observe = field('running', 'observe');
  const servers = descendantsOf(child.pid as number);
  const nats = servers.find(({ program }) => program.startsWith('nats'))?.id ?? 0;
  const store = servers.find(({ program }) => program.startsWith('node'))?.id ?? 0;
  return {
    feedAddress: field('source open', 'address', (line) => line.source === 'centres'),
    hl7Port: Number(hl7.slice(hl7.lastIndexOf(':') + 1)),
    storeUrl: field('log and store are open', 'clickhouse'),
    async frames() {
      const status = (await (await fetch(`${observe}/status`)).json()) as {
        stage: { sequence: number; events: number };
      };
      return { messages: status.stage.sequence, events: status.stage.events };
    },
    cpuSeconds: () => ({
      engine: cpuSecondsOf(child.pid as number),
      nats: cpuSecondsOf(nats),
      store: cpuSecondsOf(store),
    }),
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      const accounting = lines.find((line) => line.msg === 'drained')?.accounting;
      if (!accounting) throw new Error(`the engine did not drain: ${JSON.stringify(lines.at(-1))}`);
      return accounting as Accounting;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** Resolves when it runs. Warnings and errors are shown as they come. */
function followLog(child: ChildProcess, lines: LogLine[]): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (text) => {
      let line: LogLine;
      try {
        line = JSON.parse(text) as LogLine;
      } catch {
        line = { level: 40, msg: text };
      }
      lines.push(line);
      if (line.level >= 40) process.stderr.write(`engine: ${text}\n`);
      if (line.msg === 'running') resolve();
    });
  });
}
