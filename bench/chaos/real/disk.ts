/** Small disks that can be filled: a tmpfs where we may mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallDisk {
  /** Until nothing more fits. */
  fill(): void;
  empty(): void;
  unmount(): void;
}

/** Why faults that fill a disk are skipped, where they are. */
export const noDisk = 'a small disk can be mounted neither as root nor in a user namespace';

/** Undefined where it cannot be mounted: the folder is then an ordinary one. */
export function mountSmallDisk(directory: string, sizeMib: number): SmallDisk | undefined {
  mkdirSync(directory, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', directory], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const ballast = join(directory, 'ballast');
  let mounted = true;
  const unmount = () => {
    if (!mounted) return;
    mounted = false;
    process.off('exit', unmount);
    try {
      execFileSync('umount', ['-l', directory], { stdio: 'ignore' });
    } catch {
      // Somebody else did it.
    }
  };
  process.on('exit', unmount);
  return {
    fill() {
      const file = openSync(ballast, 'a');
      let size = 1024 * 1024;
      const zeros = Buffer.alloc(size);
      while (size >= 1) {
        try {
          if (writeSync(file, zeros, 0, size) < size) size >>= 1;
        } catch {
          size >>= 1;
        }
      }
      closeSync(file);
    },
    empty() {
      const file = openSync(ballast, 'a');
      ftruncateSync(file, 0);
      closeSync(file);
      rmSync(ballast, { force: true });
    },
    unmount,
  };
}
