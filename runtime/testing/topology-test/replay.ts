/**
 * The input log of a test once more through the state machine alone: cut differently, with a crash in the middle. By the one
 * idea of the engine the rows must be the same, in the same order.
 */
import { decodeCheckpoint, encodeCheckpoint } from '../../execution/checkpoint.ts';
import { fingerprintsOf } from '../../execution/fingerprint.ts';
import {
  decodeOutputFrame,
  encodeOutputFrame,
  type OutputPlace,
  type OutputRow,
  type SourceFrame,
} from '../../execution/log-frame.ts';
import { rowByRow } from '../../execution/output-run.ts';
import { StageMachine } from '../../execution/stage-machine.ts';
import type { Accounting } from '../../stream/ledger.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { CollectedRow, LoggedInput } from './world-form.ts';

export type Cut = 'as it came' | 'apart' | 'together';

export interface ReplayResult {
  readonly rows: ReadonlyMap<string, readonly CollectedRow[]>;
  readonly accounting: Accounting;
}

/** Answers of look-ups name the message that asked: with them the log is taken as it came. */
export function cutsFor(topology: BoundTopology): readonly Cut[] {
  return topology.operators.some(({ bound }) => bound.lookup) ? ['as it came'] : ['apart', 'together'];
}

export function replay(topology: BoundTopology, inputs: readonly LoggedInput[], cut: Cut): ReplayResult {
  const messages = cut === 'apart' ? inputs.flatMap(apart) : cut === 'together' ? together(inputs) : inputs;
  const outputs = new Map<string, OutputRow[]>();
  const newest = new Map<string, OutputPlace>();
  const start = () =>
    new StageMachine(topology, {
      rows: rowByRow((output, row) => {
        // As the publisher does: what is out already is dropped by its place.
        const known = newest.get(output);
        if (known && (row.sequence < known.sequence || (row.sequence === known.sequence && row.index <= known.index)))
          return;
        newest.set(output, row);
        const rows = outputs.get(output) ?? [];
        rows.push(row);
        outputs.set(output, rows);
      }),
      question() {},
    });
  const savedAt = messages.length >> 2;
  const diesAt = messages.length >> 1;
  let machine = start();
  let saved: Uint8Array | undefined;
  const handle = (index: number) => {
    const { node, frame } = messages[index] as LoggedInput;
    machine.handle(index + 1, node, frame);
  };
  for (let index = 0; index < messages.length; index++) {
    if (index === savedAt) {
      const { name, hash } = topology;
      const head = { topology: name, hash, fingerprints: fingerprintsOf(topology), sequence: index, node: 'test' };
      saved = encodeCheckpoint({ head, snapshot: machine.snapshot() });
    }
    if (index === diesAt && saved) {
      machine = start();
      machine.restore(decodeCheckpoint('test', saved).snapshot);
      for (let again = savedAt; again < index; again++) handle(again);
    }
    handle(index);
  }
  const rows = new Map(
    topology.sinks.map(({ id, inputs: edges }) => {
      const schema = edges[0]?.schema ?? { fields: {} };
      const written = outputs.get(id) ?? [];
      return [id, decodeOutputFrame(encodeOutputFrame(schema, written), schema).rows] as const;
    }),
  );
  return { rows, accounting: machine.accounting };
}

/** Every event in a message of its own. */
function apart(input: LoggedInput): LoggedInput[] {
  const { node, frame } = input;
  if (frame.kind !== 'source' || frame.events.length <= 1) return [input];
  const pieces: LoggedInput[] = [];
  let at = 0;
  for (const { origin, events, mark, id } of frame.segments) {
    const count = Math.max(events, 1);
    for (let piece = 0; piece < count; piece++) {
      const isLast = piece === count - 1;
      const segment = {
        origin,
        events: Math.min(events, 1),
        ...(mark === undefined || !isLast ? {} : { mark }),
        ...(id === undefined ? {} : { id: count === 1 ? id : `${id}/${piece}` }),
      };
      pieces.push({
        node,
        frame: {
          ...frame,
          segments: [segment],
          deadLetters: pieces.length === 0 ? frame.deadLetters : [],
          events: frame.events.slice(at, at + segment.events),
          times: frame.times.slice(at, at + segment.events),
        },
      });
      at += segment.events;
    }
  }
  return pieces;
}

/**
 * Neighbours of one source in one message. Dead letters stand first in a message, so those stay as they came; and no watermark runs ahead of the time at
 * which a message was accepted, so those of different times are never one.
 */
function together(inputs: readonly LoggedInput[]): LoggedInput[] {
  const merged: LoggedInput[] = [];
  for (const input of inputs) {
    const before = merged.at(-1);
    const both = before && before.node === input.node ? mergeFrames(before.frame, input.frame) : undefined;
    if (both) merged[merged.length - 1] = { node: input.node, frame: both };
    else merged.push(input);
  }
  return merged;
}

function mergeFrames(one: LoggedInput['frame'], two: LoggedInput['frame']): SourceFrame | undefined {
  if (one.kind !== 'source' || two.kind !== 'source') return undefined;
  if (one.engineTime !== two.engineTime || one.deadLetters.length > 0 || two.deadLetters.length > 0) return undefined;
  return {
    ...one,
    segments: [...one.segments, ...two.segments],
    events: [...one.events, ...two.events],
    times: [...one.times, ...two.times],
  };
}
