/**
 * Which event a row had to wait for, and at which moment that event was meant to come. Event `n` is meant to come `n / rate` seconds after
 * the beginning, whatever has become of it since.
 */
import { firstTimeMs, timeOf } from '../../connectors/nexmark/generator.ts';

export interface Schedule {
  /** Moment of the first event, ms since the epoch. */
  readonly beginMs: number;
  /** Events a second, of event time and of the clock. */
  readonly rate: number;
}

/** A message of the input log: the events from a position up to another. */
export interface CausingMessage {
  readonly from: number;
  readonly to: number;
}

const watermarkStepMs = 1_000;

export function momentOf(position: number, { beginMs, rate }: Schedule): number {
  return beginMs + (position * 1_000) / rate;
}

/** The first position whose event time is not before this time. */
function positionAt(time: number, rate: number): number {
  let position = Math.max(0, Math.floor(((time - firstTimeMs) * rate) / 1_000));
  while (position > 0 && timeOf(position - 1, rate) >= time) position--;
  while (timeOf(position, rate) < time) position++;
  return position;
}

/**
 * Position of the event that a row waited for, within the message that caused it. A row that bears the time of one of its events comes of that event: of
 * several in one millisecond, the first. Others come of a watermark: the first event of a new second moved it. Where neither is so, the first
 * event of the message is taken, so that no latency is made smaller than it was.
 */
export function causeOf(rowTime: number, { from, to }: CausingMessage, rate: number): number {
  if (rowTime >= timeOf(from, rate) && rowTime <= timeOf(to - 1, rate))
    return Math.max(from, positionAt(rowTime, rate));
  const before = from === 0 ? firstTimeMs : timeOf(from - 1, rate);
  const nextSecond = (Math.floor(before / watermarkStepMs) + 1) * watermarkStepMs;
  return timeOf(to - 1, rate) >= nextSecond ? Math.max(from, positionAt(nextSecond, rate)) : from;
}
