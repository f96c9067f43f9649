/** What the command line of `npm run chaos` asks for. */

export interface SimulatedArguments {
  /** Both ends included. */
  readonly firstSeed: number;
  readonly lastSeed: number;
  readonly threads: number;
  /** Drawn from each seed when absent. */
  readonly partitions?: number;
  /** File for the figures. */
  readonly json?: string;
}

/** Exit codes: what was promised held; it did not, or the run proved nothing; wrong use. */
export const exitCodes = { held: 0, broken: 1, wrongUse: 2 } as const;
