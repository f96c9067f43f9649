/** How the child process says why it could not serve. */
export const exitCodes = { engineFailed: 70, listenFailed: 76 } as const;
