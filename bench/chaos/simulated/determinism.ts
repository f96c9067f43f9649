/**
 * The engine reads the machine's time and draws by chance in a few places that decide no result (how long it has worked, how long a
 * sink waits before it tries again). In a simulation these come from the seed too, so that a seed is the same run each time.
 * One simulation at a time in a thread.
 */
import type { Clock } from '../../../runtime/clock.ts';
import type { Random } from '../../../runtime/random.ts';

export async function withoutChance<T>(source: { clock: Clock; random: Random }, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  const { random } = Math;
  Date.now = () => source.clock.now();
  Math.random = () => source.random.float();
  try {
    return await work();
  } finally {
    Date.now = now;
    Math.random = random;
  }
}
