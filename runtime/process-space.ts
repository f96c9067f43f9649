/** Whether another process has ended, where this one can know it. */
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Among whose process ids ours is one: a boot of a machine and, there, a namespace (a container has its own). The same text in two processes: each can see whether the other is
 * there. Undefined where the system does not say (it is no Linux).
 */
export function processSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

/** No process of our space has this id. One that has ended and that nobody has noticed yet, or another with the same id, counts as there. */
export function hasEnded(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
