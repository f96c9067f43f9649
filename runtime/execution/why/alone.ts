/** Named messages replayed alone: from the state before the first of them, without anything that came between. */

import { isDeepStrictEqual } from 'node:util';
import type { Event } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { InputFrame, SourceFrame } from '../log-frame.ts';
import { rowByRow } from '../output-run.ts';
import type { PastMessage } from '../replay/past.ts';
import { StageMachine, type StageSnapshot } from '../stage-machine.ts';
import type { Moment } from './lineage.ts';

export interface WantedRow {
  readonly sink: string;
  readonly event: Event;
  readonly time: number;
}

export function isSameRow(row: { readonly event: Event; readonly time: number }, wanted: WantedRow): boolean {
  return row.time === wanted.time && isDeepStrictEqual(row.event, wanted.event);
}

/** Whether the row comes out. `before`: the state before the first message; it is used up. `messages`: in order, those that hold the places. */
export function givesRow(args: {
  topology: BoundTopology;
  before: StageSnapshot;
  messages: readonly PastMessage[];
  /** Undefined: all of every message. */
  places: readonly Moment[] | undefined;
  wanted: WantedRow;
}): boolean {
  const { wanted, places } = args;
  let found = false;
  const machine = new StageMachine(args.topology, {
    rows: rowByRow((output, row) => {
      if (output === wanted.sink && isSameRow(row, wanted)) found = true;
    }),
    question() {},
  });
  machine.restore(args.before);
  for (const { sequence, node, frame } of args.messages) {
    const kept = places
      ? onlyPlaces(frame, new Set(places.filter((one) => one.sequence === sequence).map(({ at }) => at)))
      : frame;
    machine.handle(sequence, node, kept);
    if (found) return true;
  }
  return false;
}

/** A message with these of its events alone. */
function onlyPlaces(frame: InputFrame, kept: ReadonlySet<number>): InputFrame {
  if (frame.kind !== 'source') return frame;
  const indexes = frame.events.map((_, at) => at).filter((at) => kept.has(at));
  let at = 0;
  const segments = frame.segments.map((segment): SourceFrame['segments'][number] => {
    let events = 0;
    for (const last = at + segment.events; at < last; at++) if (kept.has(at)) events++;
    const { letters: _, lines: __, ...rest } = segment;
    return { ...rest, events };
  });
  return {
    ...frame,
    segments: segments.filter(({ events }) => events > 0),
    deadLetters: [],
    events: indexes.map((index) => frame.events[index] as Event),
    times: indexes.map((index) => frame.times[index] as number),
  };
}
