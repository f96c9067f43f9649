import { MachError } from '../errors.ts';

const fencedCodes = new Set(['MACH3001', 'MACH3203']);

/** Another owner has written: for this one it is no failure, only an end. */
export const isFenced = (error: unknown): boolean => error instanceof MachError && fencedCodes.has(error.code);

const refusalCodes = new Set(['MACH3205', 'MACH3207', 'MACH3212', 'MACH3215', 'MACH3217', 'MACH3226']);

/** The state of the topology does not fit: no other time and no other worker makes it fit. */
export const isStateRefusal = (error: unknown): boolean => error instanceof MachError && refusalCodes.has(error.code);
