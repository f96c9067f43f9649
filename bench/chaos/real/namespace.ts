/**
 * Who may not mount a small disk may do so in a user and mount namespace of their own, where the system allows these: then the whole
 * run happens in a process there.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RealReport } from './report.ts';
import type { RealSettings } from './run.ts';

const chaos = fileURLToPath(new URL('../main.ts', import.meta.url));
/** Into namespaces in which this user counts as root. */
export const intoNamespace = ['unshare', '--user', '--map-root-user', '--mount'] as const;
/** Set in the process that is in there: it never goes on to another. */
const marker = 'MACH_CHAOS_NAMESPACE';

export type Mounting = 'here' | 'in a namespace' | 'nowhere';

/** Where a small disk can be mounted; found out by doing it. */
export function mounting(): Mounting {
  if (mounts([])) return 'here';
  return process.env[marker] === undefined && mounts(intoNamespace) ? 'in a namespace' : 'nowhere';
}

function mounts(prefix: readonly string[]): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'mach-mount-'));
  const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && umount "$1"';
  const [program = '', ...parameters] = [...prefix, 'sh', '-c', script, 'sh', directory];
  try {
    execFileSync(program, parameters, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(directory);
  }
}

/** Rejects with what it said last when it ends without a report. */
export async function runInNamespace({ seed, forMs, faults, print }: RealSettings): Promise<RealReport> {
  const directory = mkdtempSync(join(tmpdir(), 'mach-chaos-report-'));
  const json = join(directory, 'report.json');
  const [program, ...parameters] = intoNamespace;
  const options = ['--seed', String(seed), '--for', `${forMs}ms`, '--json', json];
  for (const name of faults) options.push('--fault', name);
  const child = spawn(program, [...parameters, process.execPath, '--import', 'tsx', chaos, ...options], {
    env: { ...process.env, [marker]: 'yes' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = () => void child.kill('SIGTERM');
  process.once('exit', kill);
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    last.push(line);
    if (last.length > 20) last.shift();
    print(line);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const text = code === 0 || code === 1 ? readIfThere(json) : undefined;
    if (text === undefined) throw new Error(`the run in a namespace ended with ${code}:\n${last.join('\n')}`);
    return JSON.parse(text) as RealReport;
  } finally {
    process.off('exit', kill);
    rmSync(directory, { recursive: true, force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
