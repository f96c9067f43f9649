import { MachError } from '../errors.ts';

const fencedCodes = new Set(['MACH3001', 'MACH3203']);

/** Another owner has written: for this one it is no failure, only an end. */
export const isFenced = (error: unknown): boolean => error instanceof MachError && fencedCodes.has(error.code);
