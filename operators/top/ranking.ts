/** The best of a set of things, each with the newest event about it. Plain data, for checkpoints. */
import type { Event, StateKey } from '../../runtime/stream/index.ts';

export type Score = number | string;

export interface Ranked {
  readonly event: Event;
  readonly time: number;
  /** Null: known, but not ranked. */
  readonly score: Score | null;
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
}

export interface RankingRule {
  readonly rows: number;
  readonly ascending: boolean;
}

export function newRanking(): Ranking {
  return { things: new Map(), nextVersion: 0, changed: false, given: [], revision: -1 };
}

function compare(a: Ranked, b: Ranked, ascending: boolean): number {
  if (a.score !== b.score) return (a.score as Score) < (b.score as Score) === ascending ? -1 : 1;
  return a.order - b.order;
}

export function best({ things }: Ranking, { rows, ascending }: RankingRule): Ranked[] {
  const scored = [...things.values()].filter(({ score }) => score !== null);
  return scored.sort((a, b) => compare(a, b, ascending)).slice(0, rows);
}

/** Takes in an event that stands for itself. Only as many as are shown are kept: what has fallen out never comes back. */
export function addEvent(ranking: Ranking, rule: RankingRule, entry: Pick<Ranked, 'event' | 'time' | 'score'>): void {
  const version = ranking.nextVersion++;
  const ranked = { ...entry, order: version, version };
  if (ranking.things.size >= rule.rows) {
    let worst = ranked;
    for (const one of ranking.things.values())
      if (compare(one, worst, rule.ascending) > 0) worst = one as typeof ranked;
    if (worst === ranked) return;
    ranking.things.delete(worst.order);
  }
  ranking.things.set(version, ranked);
  ranking.changed = true;
}

/** Takes in the news of a thing. False when something newer is known of it. */
export function setThing(ranking: Ranking, thing: StateKey, entry: Pick<Ranked, 'event' | 'time' | 'score'>): boolean {
  const before = ranking.things.get(thing);
  if (before && before.time > entry.time) return false;
  const version = ranking.nextVersion++;
  ranking.things.set(thing, { ...entry, order: before?.order ?? version, version });
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
