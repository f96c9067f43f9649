/** What a result must say about where it was measured. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * With which the command is started in `deploy/`. A larger room for young objects: most events die young, and the default of 16 MiB makes the
 * collector copy those that were about to.
 */
export const heapFlags: readonly string[] = ['--max-semi-space-size=64'];

const starter = fileURLToPath(new URL('start.mjs', import.meta.url));

/** What Node is started with for a program of the bench, such as `peers/loop/main.ts`; `flags`: more of Node's own. */
export function programArguments(file: string, flags: readonly string[] = []): string[] {
  return [...heapFlags, ...flags, starter, file];
}

/** The same as a process that messages go to. */
export function forkProgram(file: string, flags: readonly string[] = []): ChildProcess {
  return fork(starter, [file], { execArgv: [...heapFlags, ...flags] });
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly architecture: string;
  readonly kernel: string;
  readonly node: string;
  readonly node_flags: readonly string[];
  readonly git: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 1024 ** 3),
    architecture: arch(),
    kernel: release(),
    node: process.version,
    node_flags: process.execArgv,
    git: gitRevision(),
  };
}

/** One minute's load average. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

function gitRevision(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no').trim() !== '';
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${changed ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** Kernel ticks of processor time in a second (USER_HZ), the same on every Linux. */
const ticksPerSecond = 100;

/** Processor time that a process has used, s; 0 where there is no /proc or no such process. */
export function cpuSecondsOf(processId: number): number {
  try {
    const fields = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}

/** Processor time that the whole machine was busy, s: what is not ours is somebody else's. */
export function busySecondsOfMachine(): number {
  try {
    const [user = 0, nice = 0, system = 0, , , interrupt = 0, soft = 0] = (
      readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    )
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number);
    return (user + nice + system + interrupt + soft) / ticksPerSecond;
  } catch {
    return 0;
  }
}

interface Process {
  readonly id: number;
  readonly parent: number;
  readonly program: string;
}

/** All processes; none where there is no /proc. */
function processes(): Process[] {
  const read = (name: string): Process[] => {
    try {
      const [head = '', rest = ''] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ');
      return [{ id: Number(name), parent: Number(rest.split(' ')[1]), program: head.slice(head.indexOf('(') + 1) }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  };
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(read);
  } catch {
    return [];
  }
}

/** Children of a process, theirs, and so on. */
export function descendantsOf(processId: number): readonly Process[] {
  const all = processes();
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.id)]);
  return below(processId);
}
