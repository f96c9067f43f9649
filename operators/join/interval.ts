/** Interval join: pairs of events whose times lie close together. */
import {
  type BoundOperator,
  cutByKey,
  type Event,
  type OperatorContext,
  type OperatorHandler,
  type Output,
} from '../../runtime/stream/index.ts';
import { operatorErrors } from '../errors.ts';
import { describeKey, equalityKey } from '../support/state-key.ts';
import { type JoinFields, joinEvents, spreadOfJoin, type Taken, takeFields } from './fields.ts';

const bytesPerEvent = 320;

/** Events of one key that wait for partners; what comes beyond it is a dead letter. */
export const waitingPerKeyMax = 50_000;

interface Left {
  readonly time: number;
  readonly event: Event;
  matched: boolean;
}

interface Right {
  readonly time: number;
  readonly values: Taken;
}

/** Both in the order in which they came. */
interface Waiting {
  lefts: Left[];
  rights: Right[];
  /** The first end of all that waits here: when the key's timer is due. */
  next: number;
}

interface IntervalArguments {
  readonly fields: JoinFields;
  readonly leftInput: string;
  /** The right event lies at most this long before, or after, the left one; both bounds count. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** An event this far behind the watermark is still joined. */
  readonly latenessMs: number;
  readonly keepUnmatched: boolean;
}

export function bindInterval(args: IntervalArguments): BoundOperator {
  return {
    ports: { out: args.fields.schema },
    spread: spreadOfJoin(args.fields, args.leftInput),
    cut: cutByKey(),
    key: args.fields.leftKey,
    stateful: true,
    stateBytesPerKey: { 'an event that waits': bytesPerEvent },
    create: (context) => createInterval(args, context),
  };
}

function createInterval(args: IntervalArguments, context: OperatorContext): OperatorHandler {
  const { fields, leftInput, beforeMs, afterMs, latenessMs, keepUnmatched } = args;
  const leftKey = equalityKey(fields.leftKey);
  const rightKey = equalityKey(fields.rightKey);
  const state = context.keyedState<Waiting>('waiting', { bytesPerKey: bytesPerEvent });
  // The first time at which the watermark rules out another partner. An event at the watermark is still on time.
  const leftEnds = (time: number) => time + afterMs + latenessMs + 1;
  const rightEnds = (time: number) => time + beforeMs + latenessMs + 1;

  function firstEnd({ lefts, rights }: Waiting): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { time } of lefts) next = Math.min(next, leftEnds(time));
    for (const { time } of rights) next = Math.min(next, rightEnds(time));
    return next;
  }

  function takeLeft(waiting: Waiting, event: Event, time: number, out: Output): void {
    const left: Left = { time, event, matched: false };
    for (const right of waiting.rights) {
      if (right.time < time - beforeMs || right.time > time + afterMs) continue;
      left.matched = true;
      out.emit(joinEvents(event, right.values, fields), Math.max(time, right.time));
    }
    waiting.lefts.push(left);
  }

  function takeRight(waiting: Waiting, event: Event, time: number, out: Output): void {
    const values = takeFields(event, fields);
    for (const left of waiting.lefts) {
      if (time < left.time - beforeMs || time > left.time + afterMs) continue;
      left.matched = true;
      out.emit(joinEvents(left.event, values, fields), Math.max(time, left.time));
    }
    waiting.rights.push({ time, values });
  }

  const holdsBackMs = latenessMs + (keepUnmatched ? afterMs : 0);
  return {
    event(event, time, out, input) {
      if (time < context.watermark() - latenessMs) return out.late(event, time);
      const isLeft = input === leftInput;
      const key = isLeft ? leftKey(event) : rightKey(event);
      if (key === null) {
        if (isLeft && keepUnmatched) out.emit(joinEvents(event, null, fields), time);
        else out.dropped('no key');
        return;
      }
      const waiting = state.get(key) ?? { lefts: [], rights: [], next: Number.POSITIVE_INFINITY };
      if (waiting.lefts.length + waiting.rights.length >= waitingPerKeyMax) {
        const { code, message } = operatorErrors.make('MACH1850', {
          key: describeKey(event, isLeft ? fields.leftKey : fields.rightKey),
          waiting: waitingPerKeyMax,
        });
        return out.dead(event, code, message);
      }
      if (isLeft) takeLeft(waiting, event, time, out);
      else takeRight(waiting, event, time, out);
      waiting.next = Math.min(waiting.next, isLeft ? leftEnds(time) : rightEnds(time));
      state.set(key, waiting, time);
      context.timers.set(key, 'free', waiting.next);
    },
    timer(key, _name, time, out) {
      const waiting = state.get(key);
      if (!waiting) return;
      const kept: Left[] = [];
      for (const left of waiting.lefts) {
        if (leftEnds(left.time) > time) kept.push(left);
        else if (keepUnmatched && !left.matched) out.emit(joinEvents(left.event, null, fields), left.time);
      }
      waiting.lefts = kept;
      waiting.rights = waiting.rights.filter((right) => rightEnds(right.time) > time);
      waiting.next = firstEnd(waiting);
      if (Number.isFinite(waiting.next)) context.timers.set(key, 'free', waiting.next);
      else state.delete(key);
    },
    ...(holdsBackMs > 0 ? { holdsFrom: () => context.watermark() - holdsBackMs + 1 } : {}),
  };
}
