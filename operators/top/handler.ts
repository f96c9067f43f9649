/** Rankings of all keys, and when they are given. */
import type {
  Event,
  KeyedState,
  OperatorContext,
  OperatorHandler,
  Output,
  StateKey,
} from '../../runtime/stream/index.ts';
import { turnAway } from '../support/turn-away.ts';
import { topLimits } from './limits.ts';
import { scheduleNext } from './next-step.ts';
import {
  addEvent,
  type Entry,
  forgetThings,
  isEmpty,
  isOfThings,
  isTied,
  newRanking,
  passOver,
  type Ranked,
  type Ranking,
  type RankingRule,
  type Score,
  setThing,
  takeChanged,
} from './ranking.ts';

export interface TopSetting {
  readonly rule: RankingRule;
  keyOf(event: Event): StateKey;
  readonly thingOf: ((event: Event) => StateKey) | undefined;
  scoreOf(event: Event): Score | null;
  /** What decides between equal scores; undefined: the order in which they came. */
  readonly betweenOf: ((event: Event) => readonly (Score | null)[]) | undefined;
  readonly window: { readonly sizeMs: number; readonly offsetMs: number; readonly latenessMs: number } | undefined;
  readonly everyMs: number;
  readonly forgetMs: number | undefined;
  readonly keysMax: number;
  /** Fields of the input, behind what stands before them: the window or the time of the ranking, and the rank. */
  rowOf(event: Event, head: readonly unknown[]): Event;
}

/** By window start; the one ranking of what is known now as it is. */
export type Rankings = Map<number, Ranking> | Ranking;

function rankingAt(group: Rankings | undefined, start: number): Ranking | undefined {
  return group instanceof Map ? group.get(start) : group;
}

/** What is due to be forgotten may still be there, because of other keys: that must make no difference. */
function isRemembered({ heard = Number.POSITIVE_INFINITY }: Ranking, rememberedFrom: number): boolean {
  return heard > rememberedFrom;
}

export class RankingHandler implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: TopSetting;
  private readonly groups: KeyedState<Rankings>;
  /** The watermark that was handled last: while timers fire, the one before. */
  private passed = Number.NEGATIVE_INFINITY;

  constructor(context: OperatorContext, setting: TopSetting) {
    this.context = context;
    this.setting = setting;
    const { keysMax, forgetMs, thingOf } = setting;
    const ttl = forgetMs === undefined || thingOf ? {} : { ttlMs: forgetMs };
    this.groups = context.keyedState('rankings', { keysMax, ...ttl });
  }

  resume(): void {
    this.passed = this.context.watermark();
    const { forgetMs, thingOf } = this.setting;
    if (forgetMs === undefined || !thingOf || this.passed === Number.POSITIVE_INFINITY) return;
    // How long things are remembered may be another time than before.
    for (const [key, group] of this.groups.entries())
      if (!(group instanceof Map) && !group.changed) this.scheduleForgetting(key, group);
  }

  watermark(time: number): void {
    this.passed = time;
  }

  event(event: Event, time: number, out: Output): void {
    const { window, keyOf, thingOf, scoreOf, betweenOf, keysMax, rule } = this.setting;
    const start = window ? Math.floor((time - window.offsetMs) / window.sizeMs) * window.sizeMs + window.offsetMs : 0;
    if (window && start + window.sizeMs + window.latenessMs <= this.context.watermark()) return out.late(event, time);
    const rememberedFrom = this.rememberedFrom(this.context.watermark());
    if (time <= rememberedFrom) return out.late(event, time);
    const score = scoreOf(event);
    if (score === null && !thingOf) return out.filtered();
    const key = keyOf(event);
    const group = this.groups.get(key);
    if (!group && this.groups.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    const ranking = this.knownOrNew(rankingAt(group, start), rememberedFrom);
    const { changed: scheduled } = ranking;
    if (thingOf || score === null || !passOver(ranking, rule, score)) {
      const entry = betweenOf ? { event, time, score, between: betweenOf(event) } : { event, time, score };
      if (!this.take(ranking, entry, out)) return;
    }
    if (this.setting.forgetMs !== undefined) ranking.heard = Math.max(ranking.heard ?? time, time);
    if (group instanceof Map) group.set(start, ranking);
    this.groups.set(key, window ? (group ?? new Map([[start, ranking]])) : ranking, time);
    if (scheduled || !ranking.changed) return;
    if (window) this.context.timers.set(key, `give ${start}`, start + window.sizeMs);
    else scheduleNext(this.context, key, { time, everyMs: this.setting.everyMs });
  }

  /** Rankings of which nothing was heard after this time are forgotten. */
  private rememberedFrom(watermark: number): number {
    const { forgetMs, thingOf } = this.setting;
    return forgetMs === undefined || thingOf ? Number.NEGATIVE_INFINITY : watermark - forgetMs;
  }

  private knownOrNew(ranking: Ranking | undefined, rememberedFrom: number): Ranking {
    const isKnown = ranking !== undefined && isRemembered(ranking, rememberedFrom);
    return isKnown ? ranking : newRanking({ ofThings: this.setting.thingOf !== undefined });
  }

  /** False when the event has gone another way. */
  private take(ranking: Ranking, entry: Entry, out: Output): boolean {
    const { thingOf, rule } = this.setting;
    const { thingsMax } = topLimits;
    if (!thingOf || !isOfThings(ranking)) {
      if (addEvent(ranking, rule, entry)) return true;
      turnAway(out, entry.event, 'MACH1803', { things: thingsMax });
      return false;
    }
    const thing = thingOf(entry.event);
    if (ranking.things.size >= thingsMax && !ranking.things.has(thing)) {
      turnAway(out, entry.event, 'MACH1803', { things: thingsMax });
      return false;
    }
    if (setThing(ranking, thing, entry)) return true;
    out.dropped('outdated');
    return false;
  }

  timer(key: StateKey, name: string, time: number, out: Output): void {
    const group = this.groups.get(key);
    if (!(group instanceof Map)) return group && this.giveNow(key, group, time, out);
    const [task = '', at] = name.split(' ');
    const start = Number(at);
    const ranking = group.get(start);
    if (ranking) this.closeWindow({ key, start, group, ranking, task }, out);
  }

  private closeWindow(
    at: { key: StateKey; start: number; group: Map<number, Ranking>; ranking: Ranking; task: string },
    out: Output,
  ): void {
    const { key, start, group, ranking, task } = at;
    const { sizeMs = 0, latenessMs = 0 } = this.setting.window ?? {};
    const end = start + sizeMs;
    if (task === 'give') {
      const rows = takeChanged(ranking, this.setting.rule);
      const { revision } = ranking;
      const head = [start, end, revision];
      if (rows) this.emit(rows, head, end - 1, out);
      if (latenessMs > 0) return this.context.timers.set(key, `forget ${start}`, end + latenessMs);
    }
    this.context.timers.clear(key, `give ${start}`);
    group.delete(start);
    if (group.size === 0) this.groups.delete(key);
  }

  private giveNow(key: StateKey, ranking: Ranking, time: number, out: Output): void {
    const { rule, forgetMs } = this.setting;
    if (!isRemembered(ranking, this.rememberedFrom(this.passed))) return void this.groups.delete(key);
    // At the end of the input no more time has passed.
    const goesOn = Number.isFinite(this.context.watermark());
    if (goesOn && forgetMs !== undefined && isOfThings(ranking)) forgetThings(ranking, time - forgetMs + 1);
    const rows = ranking.changed ? takeChanged(ranking, rule) : undefined;
    if (rows) this.emit(rows, [time], time, out);
    if (isEmpty(ranking)) this.groups.delete(key);
    else if (goesOn) this.scheduleForgetting(key, ranking);
  }

  private scheduleForgetting(key: StateKey, { things }: Ranking): void {
    const { everyMs, forgetMs } = this.setting;
    if (forgetMs === undefined || things === null) return;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { time } of things.values()) oldest = Math.min(oldest, time);
    const next = (Math.floor(this.passed / everyMs) + 1) * everyMs;
    this.context.timers.set(key, 'give 0', Math.max(next, Math.ceil((oldest + forgetMs) / everyMs) * everyMs));
  }

  private emit(rows: readonly Ranked[], head: readonly number[], time: number, out: Output): void {
    const { rule, rowOf } = this.setting;
    // One list for all rows: it is read at once.
    const values = [...head, 0];
    for (let at = 0; at < rows.length; at++) {
      if (!isTied(rows, at, rule)) values[head.length] = at + 1;
      out.emit(rowOf((rows[at] as Ranked).event, values), time);
    }
  }
}
