/** Keeps one alert open for each key while a condition holds, and says every change of its state. */
import { z } from 'zod';
import {
  defineOperator,
  duration,
  type Event,
  expression,
  input,
  key as keyOption,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type Schema,
  type StateKey,
} from '../../runtime/stream/index.ts';
import { equalityKey } from '../support/state-key.ts';
import { bindActions, type ReadAction } from './actions.ts';
import { type AlertState, alertId, alertSchema, describeCondition, fieldsRead } from './row.ts';
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

const bytesPerKey = 640;
const stateOf = { raise: 'raised', clear: 'cleared', escalate: 'escalated', remind: 'reminded' } as const;

export const alert = defineOperator({
  name: 'alert',
  status: 'stable',
  summary: 'Keeps one alert open for each key while a condition holds, and says every change of its state.',
  options: z
    .strictObject({
      from: input(),
      key: keyOption().describe('one alert can be open for each value'),
      raise: expression().describe('the condition'),
      hold: duration().default(0).describe('for this long it must hold without interruption, before anyone is woken'),
      escalate: z
        .record(z.string().regex(/^[a-z][a-z0-9_-]*$/, 'a level is named in small letters'), expression())
        .default({})
        .describe(
          'levels of higher severity, rising, each with its condition; a severity is kept until the alert clears',
        ),
      escalate_hold: duration().optional().describe('as `hold`, for the levels (default: as `hold`)'),
      clear: expression().optional().describe('the condition that ends it (default: `raise` is not true)'),
      clear_hold: duration().default(0).describe('for this long `clear` must hold without interruption'),
      remind: duration().optional().describe('an alert that nobody has acknowledged is said again this often'),
      values: z.array(z.string().min(1)).default([]).describe('fields of the newest event that stand in every row'),
      actions: input()
        .optional()
        .describe('what people do: action (acknowledge, assign, note), alert_id or the key, by, to, note'),
    })
    .refine(({ remind }) => remind === undefined || remind > 0, 'remind must be longer than 0s')
    .describe(
      'events of a key must come in order of time: an older one changes nothing and is dropped; what was raised is never taken back',
    ),
  examples: [
    {
      title: 'raised after five minutes over the limit, cleared below a lower one',
      options: {
        from: 'waiting',
        key: 'hospital',
        raise: 'wait > 240',
        hold: '5m',
        clear: 'wait < 180',
        values: ['wait'],
      },
      in: [
        { hospital: 'H1', wait: 250, $time: 0 },
        { hospital: 'H1', wait: 200, $time: 600_000 },
        { hospital: 'H1', wait: 170, $time: 660_000 },
      ],
      out: [
        {
          alert_id: 'under-test/H1/1970-01-01T00:05:00.000Z',
          hospital: 'H1',
          wait: 250,
          state: 'raised',
          severity: 1,
          level: null,
          at: 300_000,
          raised_at: 300_000,
          held_ms: 300_000,
          reason: 'wait > 240: wait 250',
          acknowledged_by: null,
          assigned_to: null,
        },
        {
          alert_id: 'under-test/H1/1970-01-01T00:05:00.000Z',
          hospital: 'H1',
          wait: 170,
          state: 'cleared',
          severity: 1,
          level: null,
          at: 660_000,
          raised_at: 300_000,
          held_ms: 660_000,
          reason: 'wait < 180: wait 170',
          acknowledged_by: null,
          assigned_to: null,
        },
      ],
    },
  ],
  bind({ options, inputs, check }) {
    const schema: Schema = inputs.from?.schema ?? { fields: {} };
    options.key.forEach((_, index) => check.field(['key', index], schema));
    options.values.forEach((_, index) => check.field(['values', index], schema));
    const names = Object.keys(options.escalate);
    const raise = check.expression('raise', schema, 'bool');
    const clear = options.clear === undefined ? null : check.expression('clear', schema, 'bool');
    const levels = names.map((name) => check.expression(['escalate', name], schema, 'bool'));
    const texts = {
      raise: options.raise,
      clear: options.clear ?? `not (${options.raise})`,
      levels: Object.values(options.escalate),
    };
    const readBy = (text: string) => fieldsRead(text, schema);
    const read = new Set([texts.raise, texts.clear, ...texts.levels].flatMap(readBy));
    const values = options.values.filter((name) => !options.key.includes(name));
    const out = alertSchema({ input: schema, key: options.key, values, read, check });
    const readAction = inputs.actions ? bindActions(inputs.actions, options.key, check) : null;
    const setting: Setting = {
      key: options.key,
      values,
      kept: [...new Set([...options.key, ...values, ...read])],
      names,
      texts: [texts.raise, texts.clear, ...texts.levels].map((text) => ({ text, read: readBy(text) })),
      holds: {
        raiseMs: options.hold,
        escalateMs: options.escalate_hold ?? options.hold,
        clearMs: options.clear_hold,
        remindMs: options.remind ?? null,
      },
      judgementOf: (event) => {
        const raised = raise.evaluate(event) === true;
        return {
          raise: raised,
          clear: clear ? clear.evaluate(event) === true : !raised,
          levels: levels.map((level) => level.evaluate(event) === true),
        };
      },
      readAction,
    };
    return {
      ports: { out },
      key: options.key,
      stateful: true,
      stateBytesPerKey: { 'a key that is watched': bytesPerKey },
      create: (context) => createAlert(setting, context),
    };
  },
});

interface Setting {
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

function createAlert(setting: Setting, context: OperatorContext): OperatorHandler {
  const { holds, names, readAction } = setting;
  const watches = context.keyedState<Watch>('watches', { bytesPerKey });
  const keyOfAlert = context.keyedState<StateKey>('alerts', { bytesPerKey: 96 });
  const keyOf = equalityKey(setting.key);

  function rowOf(watch: Watch, alert: OpenAlert, state: AlertState, at: number, reason: string): Event {
    const row: Event = { alert_id: alert.id };
    for (const name of setting.key) row[name] = watch.last[name];
    for (const name of setting.values) row[name] = watch.last[name];
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
    });
  }

  function reasonOf(watch: Watch, change: Change): string {
    const index = change.kind === 'clear' ? 1 : change.kind === 'escalate' ? change.level + 2 : 0;
    const { text, read } = setting.texts[index] as Setting['texts'][number];
    return describeCondition(text, read, watch.last);
  }

  /** Carries out all changes up to a time, in order. */
  function advance(key: StateKey, watch: Watch, until: number, out: Output): void {
    for (;;) {
      const change = nextChange(watch, holds);
      if (!change || change.at > until) return;
      const alert = carryOut(watch, change, holds, (at) => alertId(context.node, setting.key, watch.last, at));
      if (change.kind === 'raise') keyOfAlert.set(alert.id, key, change.at);
      if (change.kind === 'clear') keyOfAlert.delete(alert.id);
      out.emit(rowOf(watch, alert, stateOf[change.kind], change.at, reasonOf(watch, change)), change.at);
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
    out.emit(rowOf(watch, alert, action.state, time, action.reason), Math.max(time, context.watermark()));
  }

  return {
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
