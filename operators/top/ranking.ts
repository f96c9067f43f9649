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
  readonly things: Map<StateKey, Ranked>;
  nextVersion: number;
  /** Since it was last looked at. */
  changed: boolean;
  /** Versions of what was last given, best first. */
  given: number[];
  /** Of the last that was given, -1 before. */
  revision: number;
  /** Newest event time, where rankings are forgotten. */
  heard?: number;
  /** Of events that stand for themselves, once there are as many as are shown: the one that falls out first. Found anew when absent. */
  worst?: Ranked | undefined;
}

export interface RankingRule {
  readonly rows: number;
  readonly ascending: boolean;
  /** Whether each of `Ranked.between` ascends. */
  readonly between: readonly boolean[];
  /** Whether all that equal the last one shown are shown as well, with one rank. */
  readonly allTies: boolean;
}

export type Entry = Pick<Ranked, 'event' | 'time' | 'score' | 'between'>;

export function newRanking(): Ranking {
  return { things: new Map(), nextVersion: 0, changed: false, given: [], revision: -1 };
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

function compare(a: Ranked, b: Ranked, rule: RankingRule): number {
  return compareScores(a, b, rule) || a.order - b.order;
}

export function best({ things }: Ranking, rule: RankingRule): Ranked[] {
  const sorted: Ranked[] = [];
  for (const one of things.values()) if (one.score !== null) sorted.push(one);
  sorted.sort((a, b) => compare(a, b, rule));
  let shown = Math.min(rule.rows, sorted.length);
  const last = sorted[shown - 1];
  if (rule.allTies && last)
    while (shown < sorted.length && compareScores(last, sorted[shown] as Ranked, rule) === 0) shown++;
  return shown === sorted.length ? sorted : sorted.slice(0, shown);
}

/** The rank of each of the best: its place, or where ties are shown, the place of the first of its equals. */
export function ranksOf(shown: readonly Ranked[], rule: RankingRule): number[] {
  const ranks: number[] = [];
  for (const [at, one] of shown.entries()) {
    const before = shown[at - 1];
    const tied = rule.allTies && before !== undefined && compareScores(before, one, rule) === 0;
    ranks.push(tied ? (ranks[at - 1] as number) : at + 1);
  }
  return ranks;
}

/** Below 0: better than the worst of those that are held. */
function fromWorst(ranking: Ranking, rule: RankingRule, entry: Entry): number {
  return compareScores(entry, worstOf(ranking, rule), rule);
}

function worstOf(ranking: Ranking, rule: RankingRule): Ranked {
  if (ranking.worst) return ranking.worst;
  let worst: Ranked | undefined;
  for (const one of ranking.things.values()) if (!worst || compare(one, worst, rule) > 0) worst = one;
  ranking.worst = worst as Ranked;
  return ranking.worst;
}

/**
 * Takes in an event that stands for itself. Only as many as are shown are kept: what has fallen out never comes back. False
 * when it equals the worst and there is no room for one more.
 */
export function addEvent(ranking: Ranking, rule: RankingRule, entry: Entry): boolean {
  const isFull = ranking.things.size >= rule.rows;
  const apart = isFull ? fromWorst(ranking, rule, entry) : -1;
  if (apart === 0 && rule.allTies && ranking.things.size >= topLimits.thingsMax) return false;
  const version = ranking.nextVersion++;
  // Most events are not among the best: one look at the worst of these tells.
  if (apart > 0 || (apart === 0 && !rule.allTies)) return true;
  ranking.things.set(version, rankedOf(entry, version, version));
  ranking.changed = true;
  // One more that equals the worst changes nothing else.
  if (apart === 0) return true;
  if (!isFull) ranking.worst = undefined;
  else if (rule.allTies) keepBest(ranking, rule);
  else {
    ranking.things.delete(worstOf(ranking, rule).order);
    ranking.worst = undefined;
  }
  return true;
}

/** Whether the score alone leaves an event that stands for itself behind all that are held: it counts, and changes nothing. */
export function passOver(ranking: Ranking, rule: RankingRule, score: Score): boolean {
  if (ranking.things.size < rule.rows) return false;
  const worst = worstOf(ranking, rule).score as Score;
  if (score === worst || score < worst === rule.ascending) return false;
  ranking.nextVersion++;
  return true;
}

function rankedOf({ event, time, score, between }: Entry, order: number, version: number): Ranked {
  return between ? { event, time, score, between, order, version } : { event, time, score, order, version };
}

function keepBest(ranking: Ranking, rule: RankingRule): void {
  const kept = new Set(best(ranking, rule));
  for (const one of ranking.things.values()) if (!kept.has(one)) ranking.things.delete(one.order);
  ranking.worst = undefined;
}

/** Takes in the news of a thing. False when something newer is known of it. */
export function setThing(ranking: Ranking, thing: StateKey, entry: Entry): boolean {
  const before = ranking.things.get(thing);
  if (before && before.time > entry.time) return false;
  const version = ranking.nextVersion++;
  ranking.things.set(thing, rankedOf(entry, before?.order ?? version, version));
  ranking.changed = true;
  return true;
}

export function forgetThings(ranking: Ranking, before: number): void {
  for (const [thing, { time }] of ranking.things) {
    if (time >= before) continue;
    ranking.things.delete(thing);
    ranking.changed = true;
  }
}

/** The ranking when it is not what was given last; undefined when it is. Marks it as given. */
export function takeChanged(ranking: Ranking, rule: RankingRule): Ranked[] | undefined {
  ranking.changed = false;
  const now = best(ranking, rule);
  const { given } = ranking;
  if (now.length === given.length && now.every(({ version }, index) => version === given[index])) return undefined;
  ranking.given = now.map(({ version }) => version);
  ranking.revision++;
  return now;
}
