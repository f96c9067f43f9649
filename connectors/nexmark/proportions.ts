/** Proportions, hot keys and numbers in flight of the official generator (github.com/nexmark/nexmark). */

export const eventsPerEpoch = 50;
export const auctionsPerEpoch = 3;
export const firstId = 1_000;
export const firstCategory = 10;
export const categories = 5;
export const hotEvery = 100;
export const auctionsInFlight = 100;
export const auctionsAhead = 10;
/** Until so many events later an auction is open. */
export const horizonEvents = 1_666;
/** Of prices, one as likely as the other. */
export const decades = [1, 10, 100, 1_000, 10_000, 100_000];

const activePeople = 1_000;
const peopleAhead = 10;

/** Those who may buy or sell, when `lastPerson` was the last to come: so many, from one on. */
export function peopleAtOnce(lastPerson: number): { readonly from: number; readonly size: number } {
  const people = lastPerson + 1;
  const active = Math.min(people, activePeople);
  return { from: people - active, size: active + peopleAhead };
}
