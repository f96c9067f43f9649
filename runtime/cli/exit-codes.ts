/** How `mach` ends; the same in every command. Written down in docs/command-line.md and in `mach --help`. */
export const exitCodes = {
  ok: 0,
  /** The command did its work and found errors in what it was given: a topology, a test, a message. */
  found: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Something failed while running: the broker, the store, a port that is taken. */
  failed: 3,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a code; what is to be said has been said, or is in `message`. */
export class CommandExit extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message = '') {
    super(message);
    this.name = 'CommandExit';
    this.exitCode = exitCode;
  }
}
