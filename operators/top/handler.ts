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
import {
  addEvent,
  forgetThings,
  newRanking,
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
  readonly window: { readonly sizeMs: number; readonly offsetMs: number; readonly latenessMs: number } | undefined;
  readonly everyMs: number;
  readonly forgetMs: number | undefined;
  readonly keysMax: number;
  /** Of the input, which the rows carry. */
  readonly fields: readonly string[];
}

/** By window start; the one ranking of what is known now stands at 0. */
type Rankings = Map<number, Ranking>;

export class RankingHandler implements OperatorHandler {
  private readonly context: OperatorContext;
  private readonly setting: TopSetting;
  private readonly groups: KeyedState<Rankings>;

  constructor(context: OperatorContext, setting: TopSetting) {
    this.context = context;
    this.setting = setting;
    this.groups = context.keyedState('rankings', { keysMax: setting.keysMax });
  }

  event(event: Event, time: number, out: Output): void {
    const { window, keyOf, thingOf, scoreOf, keysMax, rule } = this.setting;
    const start = window ? Math.floor((time - window.offsetMs) / window.sizeMs) * window.sizeMs + window.offsetMs : 0;
    if (window && start + window.sizeMs + window.latenessMs <= this.context.watermark()) return out.late(event, time);
    const score = scoreOf(event);
    if (score === null && !thingOf) return out.filtered();
    const key = keyOf(event);
    const group = this.groups.get(key);
    if (!group && this.groups.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
    const ranking = group?.get(start) ?? newRanking();
    const { changed: scheduled } = ranking;
    if (thingOf) {
      const thing = thingOf(event);
      const { thingsMax } = topLimits;
      if (ranking.things.size >= thingsMax && !ranking.things.has(thing))
        return turnAway(out, event, 'MACH1803', { things: thingsMax });
      if (!setThing(ranking, thing, { event, time, score })) return out.dropped('outdated');
    } else addEvent(ranking, rule, { event, time, score });
    const home = group ?? new Map<number, Ranking>();
    home.set(start, ranking);
    this.groups.set(key, home, time);
    if (scheduled || !ranking.changed) return;
    if (window) this.context.timers.set(key, `give ${start}`, start + window.sizeMs);
    else this.scheduleNext(key, time);
  }

  timer(key: StateKey, name: string, time: number, out: Output): void {
    const [task, at] = name.split(' ');
    const start = Number(at);
    const group = this.groups.get(key);
    const ranking = group?.get(start);
    if (!group || !ranking) return;
    if (this.setting.window) this.closeWindow({ key, start, group, ranking, task: task ?? '' }, out);
    else this.giveNow(key, ranking, time, out);
  }

  private closeWindow(
    at: { key: StateKey; start: number; group: Rankings; ranking: Ranking; task: string },
    out: Output,
  ): void {
    const { key, start, group, ranking, task } = at;
    const { sizeMs = 0, latenessMs = 0 } = this.setting.window ?? {};
    const end = start + sizeMs;
    if (task === 'give') {
      const rows = takeChanged(ranking, this.setting.rule);
      const { revision } = ranking;
      const head = { ranking_start: start, ranking_end: end, ranking_revision: revision };
      if (rows) this.emit(rows, head, end - 1, out);
      if (latenessMs > 0) return this.context.timers.set(key, `forget ${start}`, end + latenessMs);
    }
    this.context.timers.clear(key, `give ${start}`);
    group.delete(start);
    if (group.size === 0) this.groups.delete(key);
  }

  private giveNow(key: StateKey, ranking: Ranking, time: number, out: Output): void {
    const { rule, forgetMs } = this.setting;
    // At the end of the input no more time has passed.
    const goesOn = Number.isFinite(this.context.watermark());
    if (forgetMs !== undefined && goesOn) forgetThings(ranking, time - forgetMs + 1);
    const rows = ranking.changed ? takeChanged(ranking, rule) : undefined;
    if (rows) this.emit(rows, { ranked_at: time }, time, out);
    if (ranking.things.size === 0) this.groups.delete(key);
    else if (forgetMs !== undefined && goesOn) this.scheduleForgetting(key, ranking, forgetMs);
  }

  /** A changed ranking is given at the next whole step. */
  private scheduleNext(key: StateKey, time: number): void {
    const { everyMs } = this.setting;
    const watermark = this.context.watermark();
    const now = Number.isFinite(watermark) ? watermark : time;
    this.context.timers.set(key, 'give 0', (Math.floor(now / everyMs) + 1) * everyMs);
  }

  private scheduleForgetting(key: StateKey, { things }: Ranking, forgetMs: number): void {
    const { everyMs } = this.setting;
    let oldest = Number.POSITIVE_INFINITY;
    for (const { time } of things.values()) oldest = Math.min(oldest, time);
    this.context.timers.set(key, 'give 0', Math.ceil((oldest + forgetMs) / everyMs) * everyMs);
  }

  private emit(rows: readonly Ranked[], head: Event, time: number, out: Output): void {
    rows.forEach(({ event }, index) => {
      const row: Event = { ...head, rank: index + 1 };
      for (const name of this.setting.fields) row[name] = event[name];
      out.emit(row, time);
    });
  }
}
