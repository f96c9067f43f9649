/** Keeps one alert open for each key while a condition holds, and says every change of its state. */
import { z } from 'zod';
import {
  defineOperator,
  duration,
  expression,
  input,
  key as keyOption,
  type Schema,
  spreadByKey,
} from '../../runtime/stream/index.ts';
import { fieldsBasis } from '../support/state-basis.ts';
import { bindActions } from './actions.ts';
import { alertCut, bytesPerKey, createAlert, type Setting } from './handler.ts';
import { levelsMigration } from './migration.ts';
import { alertSchema, fieldsRead } from './row.ts';

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
      clear: expression()
        .optional()
        .describe('the condition that ends it, once `raise` is not true any more (default: no other)'),
      clear_hold: duration().default(0).describe('for this long `clear` must hold without interruption'),
      remind: duration().optional().describe('an alert that nobody has acknowledged is said again this often'),
      values: z.array(z.string().min(1)).default([]).describe('fields of the newest event that stand in every row'),
      actions: input()
        .optional()
        .describe(
          'what people do: action (acknowledge, assign, note), alert_id or the key, by, to, note. Its rows say so in `action_by` and `action_note`',
        ),
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
  state: {
    // Since when a condition has held stays known when the condition changes: the next event judges anew.
    basis: ({ options, inputs }) => ({
      key: fieldsBasis(options.key, inputs.from?.schema),
      levels: Object.keys(options.escalate),
    }),
    migrations: [levelsMigration],
  },
  bind({ options, inputs, check }) {
    const schema: Schema = inputs.from?.schema ?? { fields: {} };
    const key = check.fields('key', schema);
    const named = check.fields('values', schema);
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
    const values = named.filter((name) => !key.includes(name));
    const out = alertSchema({ input: schema, key, values, read, actions: inputs.actions !== undefined, check });
    const readAction = inputs.actions ? bindActions(inputs.actions, key, check) : null;
    const setting: Setting = {
      input: schema,
      key,
      values,
      kept: [...new Set([...key, ...values, ...read])],
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
          clear: !raised && (clear === null || clear.evaluate(event) === true),
          levels: levels.map((level) => level.evaluate(event) === true),
        };
      },
      readAction,
    };
    return {
      ports: { out },
      key,
      // An action may name an alert by its id alone.
      spread: inputs.actions ? { kind: 'all' } : spreadByKey({ from: key }, key),
      cut: alertCut,
      stateful: true,
      stateBytesPerKey: { 'a key that is watched': bytesPerKey },
      create: (context) => createAlert(setting, context),
    };
  },
});
