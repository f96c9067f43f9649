/** Room on the disk of a folder, and the reserve of it that the engine leaves free. */
import { statfsSync } from 'node:fs';
import { limits } from './limits.ts';

export interface DiskRoom {
  readonly freeBytes: number;
  /** Below this much nothing new is taken in. */
  readonly reserveBytes: number;
}

/** `reserveBytes`: default the smaller of `limits.diskReserveBytes` and a `diskReserveShare`th part of the disk. */
export function diskRoom(directory: string, reserveBytes?: number): DiskRoom {
  const { bavail, bsize, blocks } = statfsSync(directory);
  const share = Math.floor((blocks * bsize) / limits.diskReserveShare);
  return { freeBytes: bavail * bsize, reserveBytes: reserveBytes ?? Math.min(limits.diskReserveBytes, share) };
}

export function isDiskLow({ freeBytes, reserveBytes }: DiskRoom): boolean {
  return freeBytes < reserveBytes;
}

const mebibytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/** For people: `3.1 MiB free, 11.0 MiB are kept in reserve`. */
export function roomText({ freeBytes, reserveBytes }: DiskRoom): string {
  return `${mebibytes(freeBytes)} free, ${mebibytes(reserveBytes)} are kept in reserve`;
}
