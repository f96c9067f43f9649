/** Keeps the newest event of each key: what is known now, however often and in whatever order it was said. */
import { z } from 'zod';
import {
  cutByKey,
  defineOperator,
  duration,
  type Event,
  type HeldKeys,
  heldKeys,
  input,
  key,
  limits,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  passesThrough,
  type StateKey,
  spreadByKey,
} from '../runtime/stream/index.ts';
import { eventsBasis, fieldsBasis } from './support/state-basis.ts';
import { turnAway } from './support/turn-away.ts';

const bytesPerKey = 120;

interface Pending {
  readonly event: Event;
}

interface LatestSetting {
  readonly keys: HeldKeys;
  /** Undefined: at once. */
  readonly everyMs: number | undefined;
  readonly forgetMs: number | undefined;
  readonly keysMax: number;
}

export const latest = defineOperator({
  name: 'latest',
  status: 'stable',
  summary:
    'Passes an event when it is the newest of its key: later in event time, or of the same time and come later; older ones are dropped.',
  options: z.strictObject({
    from: input(),
    key: key().describe('field or fields; each key has a newest event of its own'),
    every: z
      .union([z.literal('change'), duration()])
      .default('change')
      .describe('the newest event of a key that has changed is given this often in event time; `change`: at once'),
    forget: duration().optional().describe('a key not heard of for this long in event time is forgotten'),
    keys: z.int().positive().optional().describe('most keys held; an event with one more is dead'),
  }),
  types: passesThrough,
  examples: [
    {
      title: 'the newest state of each bed, though the news come out of order',
      options: { from: 'beds', key: 'bed' },
      in: [
        { bed: 'B1', state: 'free', $time: 10_000 },
        { bed: 'B1', state: 'taken', $time: 5_000 },
        { bed: 'B1', state: 'cleaned', $time: 10_000 },
      ],
      // The example's events come in the order of their times.
      out: [
        { bed: 'B1', state: 'taken' },
        { bed: 'B1', state: 'free' },
        { bed: 'B1', state: 'cleaned' },
      ],
    },
    {
      title: 'once a minute what has become of each ambulance',
      options: { from: 'positions', key: 'unit', every: '1m' },
      in: [
        { unit: 'A1', place: 'Q1', $time: 0 },
        { unit: 'A2', place: 'Q7', $time: 10_000 },
        { unit: 'A1', place: 'Q3', $time: 20_000 },
      ],
      out: [
        { unit: 'A1', place: 'Q3' },
        { unit: 'A2', place: 'Q7' },
      ],
    },
  ],
  state: {
    // How long a key is remembered is decided anew with each event.
    basis: ({ options: { key: keyFields, every }, inputs }) => ({
      key: fieldsBasis(keyFields, inputs.from?.schema),
      waits: every === 'change' ? null : eventsBasis(inputs.from?.schema),
    }),
  },
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const { key: keyFields, every, forget } = options;
    keyFields.forEach((_, index) => check.field(['key', index], schema));
    if (typeof every === 'number' && !(Number.isInteger(every) && every >= 1))
      check.problem('every', 'the time is at least 1ms, in whole ms');
    if (typeof every === 'number' && (forget ?? every) < every)
      check.problem('forget', 'a key would be forgotten before its newest event is given', 'make it longer');
    const setting: LatestSetting = {
      keys: heldKeys(keyFields),
      everyMs: typeof every === 'number' ? every : undefined,
      forgetMs: forget,
      keysMax: options.keys ?? limits.stateKeysMax,
    };
    return {
      ports: { out: schema },
      key: keyFields,
      spread: spreadByKey({ from: keyFields }, keyFields),
      reads: (wanted) => wanted,
      cut: cutByKey({ shared: ['given'] }),
      stateful: true,
      stateBytesPerKey: { 'time of the newest event': bytesPerKey },
      create: (context) => createLatest(setting, context),
    };
  },
});

function createLatest({ keys, everyMs, forgetMs, keysMax }: LatestSetting, context: OperatorContext): OperatorHandler {
  const ttl = forgetMs === undefined ? {} : { ttlMs: forgetMs };
  const newest = context.keyedState<number>('newest', { keysMax, keys, bytesPerKey, ...ttl });
  // Beside keys that are held, those may wait that were forgotten meanwhile: none is let go for another.
  const pending = context.keyedState<Pending>('pending', { keysMax: 2 * keysMax, keys });
  const given = context.keyedState<number>('given');
  const hasRoom = (of: StateKey) => newest.size < keysMax && (pending.size < keysMax || pending.has(of));
  const handler: OperatorHandler = {
    event(event, time, out) {
      const rememberedFrom = forgetMs === undefined ? Number.NEGATIVE_INFINITY : context.watermark() - forgetMs;
      // The key would be forgotten at once.
      if (time <= rememberedFrom) return out.late(event, time);
      const of = keys.of(event);
      const known = newest.get(of);
      // What is due to be forgotten may still be there, because of other keys: that must make no difference.
      if (known !== undefined && known > time && known > rememberedFrom) return out.dropped('outdated');
      if (known === undefined && !hasRoom(of)) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      newest.set(of, time, time);
      if (everyMs === undefined) out.emit(event, time);
      else pending.set(of, { event }, time);
    },
  };
  if (everyMs === undefined) return handler;
  /** All that waits, in the order in which keys had changed; at the end of the input each at its own time, behind what was given before. */
  function give(instant: number, last: number, out: Output): void {
    const isEnd = !Number.isFinite(instant);
    for (const [of, { event }] of pending.entries())
      out.emit(event, isEnd ? Math.max(last, pending.entry(of)?.time ?? last) : instant);
    pending.clear();
  }
  return {
    ...handler,
    watermark(time, out) {
      const last = given.get('now') ?? Number.NEGATIVE_INFINITY;
      const instant = Number.isFinite(time) ? Math.floor(time / everyMs) * everyMs : time;
      if (instant <= last) return;
      given.set('now', instant, 0);
      give(instant, last, out);
    },
  };
}
