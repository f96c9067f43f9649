/** Lets at most so many events of each key through in a time. */
import { z } from 'zod';
import {
  cutByKey,
  defineOperator,
  duration,
  type Event,
  eventKey,
  input,
  key,
  limits,
  type NodeState,
  type OperatorContext,
  type OperatorHandler,
  type Output,
  type StateBasis,
  type StateKey,
  spreadByKey,
} from '../runtime/stream/index.ts';
import { eventsBasis, fieldsBasis, same } from './support/state-basis.ts';
import { turnAway } from './support/turn-away.ts';

const bytesPerKey = 160;
const timerName = 'refilled';

/**
 * A bucket that holds `events` tokens and refills evenly within `every`; each event that passes takes one. Counted in whole
 * numbers, `every` of them to a token, so that no rounding adds up.
 */
interface Bucket {
  credit: number;
  /** Event time up to which it has been refilled. */
  time: number;
  /** The watermark when it was last touched. */
  watermark: number;
  /** The latest event that found no token. */
  waiting: { readonly event: Event; readonly time: number } | null;
  /** When there will be a token for it. */
  dueAt: number;
}

interface Setting {
  readonly events: number;
  readonly everyMs: number;
  readonly keepsLatest: boolean;
  readonly keysMax: number;
  keyOf(event: Event): StateKey;
}

export const throttle = defineOperator({
  name: 'throttle',
  status: 'stable',
  summary:
    'Lets at most so many events of each key through in a time; what is too much is dropped, or the latest of it kept.',
  options: z.strictObject({
    from: input(),
    key: key().optional().describe('field or fields by which events are counted; absent: all together'),
    events: z.int().positive().default(1).describe('so many at once, and so many in each `every` from then on'),
    every: duration().describe('the time, in event time (a token bucket: tokens come back evenly)'),
    keep: z
      .enum(['first', 'latest'])
      .default('first')
      .describe('first: what is too much is dropped; latest: the newest of it passes as soon as there is room'),
    keys: z
      .int()
      .positive()
      .optional()
      .describe('most keys held; beyond it the oldest begins anew, or, where events wait, the event is dead'),
  }),
  examples: [
    {
      title: 'one alarm of a hospital in five minutes',
      options: { from: 'alarms', key: 'hospital', every: '5m' },
      in: [
        { hospital: 'H1', load: 1, $time: 0 },
        { hospital: 'H1', load: 2, $time: 60_000 },
        { hospital: 'H2', load: 3, $time: 120_000 },
        { hospital: 'H1', load: 4, $time: 300_000 },
      ],
      out: [
        { hospital: 'H1', load: 1 },
        { hospital: 'H2', load: 3 },
        { hospital: 'H1', load: 4 },
      ],
    },
    {
      title: 'the newest position of an ambulance, every ten seconds',
      options: { from: 'positions', key: 'unit', every: '10s', keep: 'latest' },
      in: [
        { unit: 'A1', km: 1, $time: 0 },
        { unit: 'A1', km: 2, $time: 3_000 },
        { unit: 'A1', km: 3, $time: 6_000 },
      ],
      out: [
        { unit: 'A1', km: 1 },
        { unit: 'A1', km: 3 },
      ],
    },
  ],
  state: {
    basis: ({ options, inputs }) => ({
      key: fieldsBasis(options.key ?? [], inputs.from?.schema),
      events: options.events,
      everyMs: options.every,
      keep: options.keep,
      event: eventsBasis(inputs.from?.schema),
    }),
    migrations: [
      {
        summary: 'each bucket keeps its tokens, at most as many as it may hold now',
        from: 1,
        to: 1,
        // An event that waits in a bucket has the fields of before.
        basis: (before, after) =>
          same(before.key, after.key) && (before.keep === 'first' || same(before.event, after.event)) ? after : null,
        migrate: rescale,
      },
    ],
  },
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const { key: fields = [], events, every: everyMs, keep, keys: keysMax = limits.stateKeysMax } = options;
    check.fields('key', schema);
    if (!Number.isInteger(everyMs) || everyMs < 1) check.problem(['every'], 'the time is at least 1ms, in whole ms');
    const setting = { events, everyMs, keepsLatest: keep === 'latest', keysMax, keyOf: eventKey(fields) };
    return {
      ports: { out: schema },
      spread: spreadByKey({ from: fields }, fields),
      cut: cutByKey(),
      key: fields,
      stateful: true,
      stateBytesPerKey: { 'bucket of a key': bytesPerKey },
      create: (context) => createHandler(context, setting),
    };
  },
});

/** Credit is counted in parts of a token, `every` of them to one. */
function rescale(state: NodeState, { before, after }: { before: StateBasis; after: StateBasis }): NodeState {
  const [everyBefore, everyAfter] = [Number(before.everyMs), Number(after.everyMs)];
  const full = Number(after.events) * everyAfter;
  const buckets = new Map(
    [...(state.states.get('buckets') ?? [])].map(([key, { value, time }]) => {
      const bucket = value as Bucket;
      const credit = Math.min(full, Math.floor((bucket.credit * everyAfter) / everyBefore));
      return [key, { value: { ...bucket, credit }, time }];
    }),
  );
  return { ...state, states: new Map([...state.states, ['buckets', buckets]]) };
}

function createHandler(context: OperatorContext, setting: Setting): OperatorHandler {
  const { events, everyMs, keepsLatest, keyOf, keysMax } = setting;
  const full = events * everyMs;
  // A bucket untouched for the whole time is full again, as a new one is.
  const buckets = context.keyedState<Bucket>('buckets', { ttlMs: everyMs, bytesPerKey, keysMax });

  const refill = (bucket: Bucket, time: number) => {
    if (time <= bucket.time) return;
    bucket.credit = Math.min(full, bucket.credit + (time - bucket.time) * events);
    bucket.time = time;
  };

  const release = (bucket: Bucket, out: Output) => {
    if (!bucket.waiting) return;
    refill(bucket, bucket.dueAt);
    bucket.credit -= everyMs;
    out.emit(bucket.waiting.event, bucket.dueAt);
    bucket.waiting = null;
  };

  const wait = (of: StateKey, bucket: Bucket, waiting: { event: Event; time: number }, out: Output) => {
    const before = bucket.waiting;
    if (before) {
      // Either this event or the one that waited goes no further; one is counted, whichever it is.
      out.dropped('throttled');
    } else {
      bucket.dueAt = bucket.time + Math.ceil((everyMs - bucket.credit) / events);
      context.timers.set(of, timerName, bucket.dueAt);
    }
    if (!before || waiting.time >= before.time) bucket.waiting = waiting;
  };

  return {
    event(event, time, out) {
      const of = keyOf(event);
      const known = buckets.get(of);
      if (!known && keepsLatest && buckets.size >= keysMax) return turnAway(out, event, 'MACH1800', { keys: keysMax });
      const watermark = context.watermark();
      // State that is due to be forgotten may still be there, because of others: that must make no difference.
      const forgotten = known && watermark > known.watermark && known.time + everyMs <= watermark;
      const bucket = known && !forgotten ? known : { credit: full, time, watermark, waiting: null, dueAt: 0 };
      if (bucket.waiting && time >= bucket.dueAt) {
        context.timers.clear(of, timerName);
        release(bucket, out);
      }
      refill(bucket, time);
      if (!bucket.waiting && bucket.credit >= everyMs) {
        bucket.credit -= everyMs;
        out.emit(event, time);
      } else if (keepsLatest) wait(of, bucket, { event, time }, out);
      else out.dropped('throttled');
      bucket.watermark = watermark;
      buckets.set(of, bucket, bucket.time);
    },
    timer(of, _name, _time, out) {
      const bucket = buckets.get(of);
      if (!bucket) return;
      release(bucket, out);
      buckets.set(of, bucket, bucket.time);
    },
  };
}
