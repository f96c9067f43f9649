/** What stands for the world around an engine in a test. */
import type { VirtualClock } from '../../clock.ts';
import { limits } from '../../limits.ts';
import type { Store } from '../../store/store.ts';
import type { Logger } from '../../stream/definition.ts';
import { topologyTestLimits } from './limits.ts';

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The sinks are replaced; nothing else may ask the store for anything. */
export const noStore = new Proxy({} as Store, {
  get(_, name) {
    throw new Error(`topology tests have no store (${String(name)})`);
  },
});

/** Lets machine time pass until the work is done. */
export function driver(clock: VirtualClock): <T>(work: Promise<T>) => Promise<T> {
  return async (work) => {
    let settled = false;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    const deadline = clock.now() + topologyTestLimits.settleMaxMs;
    while (!settled) {
      await clock.advance(limits.sinkWriteEveryMs);
      if (clock.now() > deadline) throw new Error('the engine does not settle (topologyTestLimits.settleMaxMs)');
    }
    return done;
  };
}
