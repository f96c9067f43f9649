/** The best of a set of things, each with the newest event about it. Plain data, for checkpoints. */
import type { Event, StateKey } from '../../runtime/stream/index.ts';
import { topLimits } from './limits.ts';

export type Score = number | string;

export interface Ranked {
  readonly event: Event;
  readonly time: number;
  /** Null: known, but not ranked. */
  readonly score: Score | null;
  /** What decides between equal scores, in turn; absent where nothing is asked for. Null is the worst. */
  readonly between?: readonly (Score | null)[];
  /** Place in the order in which things were first heard of: decides between equal scores. */
  readonly order: number;
  /** Differs from that of every other event that the ranking took in. */
  readonly version: number;
}

export interface Ranking {
  /** Each with the newest event about it; null where every event stands for itself. */
  readonly things: Map<StateKey, Ranked> | null;
  /** Those that stand for themselves, best first. */
  readonly events: Ranked[];
  nextVersion: number;
  /** Since it was last looked at. */
  changed: boolean;
  /** Versions of what was last given, best first. */
  given: number[];
  /** Of the last that was given, -1 before. */
  revision: number;
  /** Newest event time, where rankings are forgotten. */
  heard?: number;
}

export type ThingRanking = Ranking & { readonly things: Map<StateKey, Ranked> };

export interface RankingRule {
  readonly rows: number;
  readonly ascending: boolean;
  /** Whether each of `Ranked.between` ascends. */
  readonly between: readonly boolean[];
  /** Whether all that equal the last one shown are shown as well, with one rank. */
  readonly allTies: boolean;
}

export type Entry = Pick<Ranked, 'event' | 'time' | 'score' | 'between'>;

export function newRanking({ ofThings }: { ofThings: boolean }): Ranking {
  return { things: ofThings ? new Map() : null, events: [], nextVersion: 0, changed: false, given: [], revision: -1 };
}

type Scored = Pick<Ranked, 'score' | 'between'>;

/** By score and what stands beside it; 0 where only the order in which they came is left. */
function compareScores(a: Scored, b: Scored, { ascending, between }: RankingRule): number {
  if (a.score !== b.score) return (a.score as Score) < (b.score as Score) === ascending ? -1 : 1;
  for (let at = 0; at < between.length; at++) {
    const [one, other] = [a.between?.[at] ?? null, b.between?.[at] ?? null];
    if (one === other) continue;
    if (one === null || other === null) return one === null ? 1 : -1;
    return one < other === between[at] ? -1 : 1;
  }
  return 0;
}

export function isOfThings(ranking: Ranking): ranking is ThingRanking {
  return ranking.things !== null;
}

export function isEmpty({ things, events }: Ranking): boolean {
  return events.length === 0 && (things === null || things.size === 0);
}

export function compareRanked(a: Ranked, b: Ranked, rule: RankingRule): number {
  return compareScores(a, b, rule) || a.order - b.order;
}

export function best({ things, events }: Ranking, rule: RankingRule): readonly Ranked[] {
  const sorted = things ? sortThings(things, rule) : events;
  const shown = countShown(sorted, rule);
  return shown === sorted.length ? sorted : sorted.slice(0, shown);
}

function sortThings(things: ReadonlyMap<StateKey, Ranked>, rule: RankingRule): Ranked[] {
  const sorted: Ranked[] = [];
  for (const one of things.values()) if (one.score !== null) sorted.push(one);
  return sorted.sort((a, b) => compareRanked(a, b, rule));
}

/** How many of those that are sorted are shown. */
function countShown(sorted: readonly Ranked[], rule: RankingRule): number {
  let shown = Math.min(rule.rows, sorted.length);
  const last = sorted[shown - 1];
  if (rule.allTies && last)
    while (shown < sorted.length && compareScores(last, sorted[shown] as Ranked, rule) === 0) shown++;
  return shown;
}

/** Whether one of the best has the rank of the one before it: where ties are shown, equals have the place of the first. */
export function isTied(shown: readonly Ranked[], at: number, rule: RankingRule): boolean {
  return rule.allTies && at > 0 && compareScores(shown[at - 1] as Ranked, shown[at] as Ranked, rule) === 0;
}

/**
 * Takes in an event that stands for itself. Only as many as are shown are kept: what has fallen out never comes back. False
 * when it equals the worst and there is no room for one more.
 */
export function addEvent(ranking: Ranking, rule: RankingRule, entry: Entry): boolean {
  const { events } = ranking;
  const isFull = events.length >= rule.rows;
  const apart = isFull ? compareScores(entry, events[events.length - 1] as Ranked, rule) : -1;
  if (apart === 0 && rule.allTies && events.length >= topLimits.thingsMax) return false;
  const version = ranking.nextVersion++;
  // Most events are not among the best: one look at the worst of these tells.
  if (apart > 0 || (apart === 0 && !rule.allTies)) return true;
  let place = events.length;
  while (place > 0 && compareScores(entry, events[place - 1] as Ranked, rule) < 0) place--;
  const ranked = rankedOf(entry, version, version);
  ranking.changed = true;
  const takesPlaceOfWorst = isFull && !rule.allTies;
  if (!takesPlaceOfWorst) events.push(ranked);
  for (let at = events.length - 1; at > place; at--) events[at] = events[at - 1] as Ranked;
  events[place] = ranked;
  // One more that equals the worst changes nothing else.
  if (isFull && rule.allTies && apart !== 0) events.length = countShown(events, rule);
  return true;
}

/** Whether the score alone leaves an event that stands for itself behind all that are held: it counts, and changes nothing. */
export function passOver(ranking: Ranking, rule: RankingRule, score: Score): boolean {
  const { events } = ranking;
  if (events.length < rule.rows) return false;
  const worst = (events[events.length - 1] as Ranked).score as Score;
  if (score === worst || score < worst === rule.ascending) return false;
  ranking.nextVersion++;
  return true;
}

function rankedOf({ event, time, score, between }: Entry, order: number, version: number): Ranked {
  return between ? { event, time, score, between, order, version } : { event, time, score, order, version };
}

/** Takes in the news of a thing. False when something newer is known of it. */
export function setThing(ranking: ThingRanking, thing: StateKey, entry: Entry): boolean {
  const before = ranking.things.get(thing);
  if (before && before.time > entry.time) return false;
  const version = ranking.nextVersion++;
  ranking.things.set(thing, rankedOf(entry, before?.order ?? version, version));
  ranking.changed = true;
  return true;
}

export function forgetThings(ranking: ThingRanking, before: number): void {
  for (const [thing, { time }] of ranking.things) {
    if (time >= before) continue;
    ranking.things.delete(thing);
    ranking.changed = true;
  }
}

/** The ranking when it is not what was given last; undefined when it is. Marks it as given. */
export function takeChanged(ranking: Ranking, rule: RankingRule): readonly Ranked[] | undefined {
  ranking.changed = false;
  const now = best(ranking, rule);
  if (areGiven(now, ranking.given)) return undefined;
  const given = new Array<number>(now.length);
  for (let at = 0; at < given.length; at++) given[at] = (now[at] as Ranked).version;
  ranking.given = given;
  ranking.revision++;
  return now;
}

function areGiven(now: readonly Ranked[], given: readonly number[]): boolean {
  if (now.length !== given.length) return false;
  for (let at = 0; at < given.length; at++) if ((now[at] as Ranked).version !== given[at]) return false;
  return true;
}
