import { setMaxListeners } from 'node:events';

/** A signal that one listener each of many sinks or partitions waits for. Of more than ten Node warns, which it takes for a leak. */
export function forMany<Signal extends AbortSignal>(signal: Signal): Signal {
  setMaxListeners(0, signal);
  return signal;
}
