/** Watches every key, and sends a row for every change. */
import {
  cutByKey,
  type Event,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type Schema,
  type StateCut,
  type StateKey,
} from '../../runtime/stream/index.ts';
import { equalityKey } from '../support/state-key.ts';
import type { ReadAction } from './actions.ts';
import { type AlertState, alertId, describeCondition } from './row.ts';
import {
  type Change,
  carryOut,
  type Holds,
  isIdle,
  type Judgement,
  judge,
  newWatch,
  nextChange,
  type OpenAlert,
  type Watch,
} from './watch.ts';

export const bytesPerKey = 640;

const byKey = cutByKey();

/** The id of an alert stands for its key. */
export const alertCut: StateCut = {
  home: (entry, fields) =>
    byKey.home(entry.state === 'alerts' ? { ...entry, key: entry.value as StateKey } : entry, fields),
};

const stateOf = { raise: 'raised', clear: 'cleared', escalate: 'escalated', remind: 'reminded' } as const;

export interface Setting {
  readonly input: Schema;
  readonly key: readonly string[];
  readonly values: readonly string[];
  /** Fields of an event that are kept. */
  readonly kept: readonly string[];
  /** Names of the levels. */
  readonly names: readonly string[];
  /** Conditions of raise, clear and the levels, with the fields that they read. */
  readonly texts: readonly { readonly text: string; readonly read: readonly string[] }[];
  readonly holds: Holds;
  judgementOf(event: Event): Judgement;
  readonly readAction: ReadAction | null;
}

/** What a row tells beside how the alert stands. */
interface Told {
  readonly state: AlertState;
  /** Of the condition that decided it; of an action, of the one that had raised the alert. */
  readonly reason: string;
  readonly by?: string | null;
  readonly note?: string | null;
}

export function createAlert(setting: Setting, context: OperatorContext): OperatorHandler {
  const { holds, names, readAction } = setting;
  const watches = context.keyedState<Watch>('watches', { bytesPerKey });
  const keyOfAlert = context.keyedState<StateKey>('alerts', { bytesPerKey: 96 });
  const keyOf = equalityKey(setting.key);

  /** `told`: how it has become so, and what of an action is said. */
  function rowOf(watch: Watch, alert: OpenAlert, at: number, told: Told): Event {
    const { state, reason, by = null, note = null } = told;
    const row: Event = { alert_id: alert.id };
    for (const name of setting.key) row[name] = watch.last[name];
    // A value that was not kept before the topology changed is not known before the next event.
    for (const name of setting.values) row[name] = watch.last[name] ?? null;
    return Object.assign(row, {
      state,
      severity: alert.severity,
      level: alert.severity > 1 ? (names[alert.severity - 2] ?? null) : null,
      at,
      raised_at: alert.raisedAt,
      held_ms: Math.max(0, at - alert.since),
      reason,
      acknowledged_by: alert.acknowledgedBy,
      assigned_to: alert.assignedTo,
      ...(readAction && { action_by: by, action_note: note }),
    });
  }

  function reasonOf(watch: Watch, change?: Change): string {
    const index = change?.kind === 'clear' ? 1 : change?.kind === 'escalate' ? change.level + 2 : 0;
    const { text, read } = setting.texts[index] as Setting['texts'][number];
    return describeCondition(text, read, watch.last);
  }

  /** Carries out all changes up to a time, in order. */
  function advance(key: StateKey, watch: Watch, until: number, out: Output): void {
    for (;;) {
      const change = nextChange(watch, holds);
      if (!change || change.at > until) return;
      const alert = carryOut(watch, change, holds, (at) => alertId(context.node, setting, watch.last, at));
      if (change.kind === 'raise') keyOfAlert.set(alert.id, key, change.at);
      if (change.kind === 'clear') keyOfAlert.delete(alert.id);
      const told = { state: stateOf[change.kind], reason: reasonOf(watch, change) };
      out.emit(rowOf(watch, alert, change.at, told), change.at);
    }
  }

  /** One timer for each key: at its next change, or when nothing of it need be kept any more. */
  function schedule(key: StateKey, watch: Watch): void {
    const change = nextChange(watch, holds);
    // After the end of the input no time passes in which a reminder could come.
    const never = change?.kind === 'remind' && context.watermark() === Number.POSITIVE_INFINITY;
    if (change && !never) context.timers.set(key, 'next', change.at);
    else if (isIdle(watch)) context.timers.set(key, 'next', watch.lastTime + 1);
    else context.timers.clear(key, 'next');
  }

  function act(event: Event, time: number, out: Output): void {
    const action = readAction?.(event);
    if (!action) return out.dropped('not an action');
    const key = action.alertId === null ? action.key : keyOfAlert.get(action.alertId);
    const watch = key === undefined || key === null ? undefined : watches.get(key);
    const alert = watch?.open;
    if (!watch || !alert || key === undefined || key === null) return out.dropped('no such alert');
    if (action.state === 'acknowledged') {
      alert.acknowledgedBy = action.by ?? 'someone';
      alert.remindAt = null;
    }
    if (action.state === 'assigned') alert.assignedTo = action.to;
    watches.set(key, watch, time);
    schedule(key, watch);
    // What a person did is never too late for those who read on.
    const { state, by, note } = action;
    const told = { state, by, note, reason: reasonOf(watch) };
    out.emit(rowOf(watch, alert, time, told), Math.max(time, context.watermark()));
  }

  return {
    resume() {
      // With a shorter hold the next change comes earlier than it did before the topology changed.
      for (const [key, watch] of watches.entries()) schedule(key, watch);
    },
    event(event, time, out, input) {
      if (input === 'actions') return act(event, time, out);
      if (time < context.watermark()) return out.late(event, time);
      const key = keyOf(event);
      if (key === null) return out.dropped('no key');
      const watch = watches.get(key) ?? newWatch(names.length);
      if (time < watch.lastTime) return out.dropped('older than its alert');
      advance(key, watch, time, out);
      watch.lastTime = time;
      watch.last = Object.fromEntries(setting.kept.map((name) => [name, event[name]]));
      judge(watch, time, setting.judgementOf(event));
      advance(key, watch, time, out);
      watches.set(key, watch, time);
      schedule(key, watch);
    },
    timer(key, _name, time, out) {
      const watch = watches.get(key);
      if (!watch) return;
      advance(key, watch, time, out);
      // An event that comes now cannot be older: nothing need be known of it.
      if (isIdle(watch) && time > watch.lastTime) return void watches.delete(key);
      watches.set(key, watch, time);
      schedule(key, watch);
    },
  };
}
