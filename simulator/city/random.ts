/** The simulator's draws on top of the project's seeded randomness. */
import type { Random } from '../../runtime/random.ts';

export { type Random, seededRandom } from '../../runtime/random.ts';

/** Log-normal with this mean; `sigma` is the spread of its logarithm. */
export function logNormal(random: Random, mean: number, sigma: number): number {
  return mean * Math.exp(random.normal(0, sigma) - (sigma * sigma) / 2);
}
