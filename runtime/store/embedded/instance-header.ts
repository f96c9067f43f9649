/** Names the instance in every answer, so that a state file can be checked against who really listens. */
export const instanceHeader = 'x-mach-store-instance';
