/**
 * Passes over events that are there already, before the one that is timed. An engine runs for months, a bench for a second: functions made for a
 * topology must have been compiled, or it is the compiler that is timed. The first passes of a query without state take three times as long as the tenth.
 */

/** So many are seen before, in whole passes; a slow query gets fewer. */
const warmUpEvents = 2_000_000;
const warmUpMsMax = 2_000;

export function warmUp(events: number, pass: () => void): void {
  const began = performance.now();
  for (let seen = 0; seen < warmUpEvents; seen += Math.max(1, events)) {
    pass();
    if (performance.now() - began >= warmUpMsMax) return;
  }
}
