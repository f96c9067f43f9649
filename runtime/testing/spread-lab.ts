/**
 * A topology spread over partitions, on arrays instead of logs: the parts go on in an order drawn by chance, publish what they pass to
 * each other in pieces of any size, crash and are restored. What comes out must be what one partition gives.
 */
import { deserialize, serialize } from 'node:v8';
import {
  decodeExchangeFrame,
  type ExchangeRow,
  type ExchangeWatermark,
  encodeExchangeFrame,
} from '../execution/exchange/exchange-frame.ts';
import { ExchangeMerge } from '../execution/exchange/exchange-merge.ts';
import type { InputFrame, OutputRow } from '../execution/log-frame.ts';
import { StageMachine, type StageSnapshot } from '../execution/stage-machine.ts';
import { laneName, lanesInto, lanesOutOf, partsOf, type StagePart } from '../execution/stage-part.ts';
import type { Random } from '../random.ts';
import { type Accounting, mergeAccounting } from '../stream/ledger.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { spreadTopology } from '../topology/spread.ts';

export interface LabMessage {
  readonly source: string;
  readonly frame: InputFrame;
}

export interface SpreadRun {
  /** Sink to rows, each with the part that it came from, in the order of their source sequence. */
  readonly rows: ReadonlyMap<string, readonly (OutputRow & { readonly stage: number; readonly partition: number })[]>;
  readonly machines: readonly StageMachine[];
  readonly accounting: Accounting;
  readonly crashes: number;
}

interface Saved {
  readonly snapshot: Buffer;
  readonly readFrom: number;
  readonly at: number;
}

interface Passed {
  readonly to: string;
  readonly lane: string;
  readonly payload: Uint8Array;
}

/** Runs all the messages through. `crashShare`: how often a part that has gone on is put back to its last checkpoint. */
export function runSpread(args: {
  topology: BoundTopology;
  partitions: number;
  messages: readonly LabMessage[];
  random: Random;
  crashShare?: number;
}): SpreadRun {
  const { topology, partitions, messages, random, crashShare = 0 } = args;
  const plan = spreadTopology(topology, partitions);
  const schemaOf = (id: string) => plan.exchanges.find((exchange) => exchange.id === id)?.schema ?? { fields: {} };
  const passed: Passed[] = [];
  const rows = new Map<string, (OutputRow & { stage: number; partition: number })[]>();
  let crashes = 0;

  const openPart = (part: StagePart) => {
    const name = laneName(part.stage, part.partition);
    /** What the log has of this part: rows up to here are not given out again. */
    const out = { row: { sequence: 0, index: -1 }, through: new Map<string, number>() };
    let saved: Saved | undefined;
    let machine: StageMachine;
    let merge: ExchangeMerge;
    let at = 0;
    let waiting: Map<string, { rows: Omit<ExchangeRow, 'index'>[]; watermarks: ExchangeWatermark[] }>;

    const start = () => {
      waiting = new Map(
        lanesOutOf(part).map(({ stage, partition }) => [laneName(stage, partition), { rows: [], watermarks: [] }]),
      );
      machine = new StageMachine(
        topology,
        {
          row(output, row) {
            const known = out.row;
            if (row.sequence < known.sequence || (row.sequence === known.sequence && row.index <= known.index)) return;
            out.row = row;
            const list = rows.get(output) ?? [];
            list.push({ ...row, stage: part.stage, partition: part.partition });
            rows.set(output, list);
          },
          question() {},
          exchange: {
            row: (stage, partition, row) => void waiting.get(laneName(stage, partition))?.rows.push(row),
            watermark: (stage, partition, mark) => void waiting.get(laneName(stage, partition))?.watermarks.push(mark),
          },
        },
        part,
      );
      if (saved) machine.restore(deserialize(saved.snapshot) as StageSnapshot);
      at = saved?.readFrom ?? 0;
      merge = new ExchangeMerge([...lanesInto(part).keys()], { handled: machine.sequence, position: at });
    };
    start();

    const flush = () => {
      for (const [to, lane] of waiting) {
        const from = out.through.get(to) ?? 0;
        if (machine.sequence <= from) continue;
        const counted = new Map<number, number>();
        const fresh = lane.rows
          .map((row) => {
            const index = counted.get(row.sequence) ?? 0;
            counted.set(row.sequence, index + 1);
            return { ...row, index };
          })
          .filter(({ sequence }) => sequence > from);
        const frame = {
          through: machine.sequence,
          rows: fresh,
          watermarks: lane.watermarks.filter(({ sequence }) => sequence > from),
        };
        passed.push({ to, lane: name, payload: encodeExchangeFrame(frame, schemaOf) });
        out.through.set(to, machine.sequence);
        lane.rows = [];
        lane.watermarks = [];
      }
    };

    const stepInput = (): boolean => {
      const message = messages[at];
      if (!message) return false;
      machine.handle(++at, message.source, message.frame);
      return true;
    };
    const stepExchanged = (): boolean => {
      while (passed[at] && passed[at]?.to !== name) at++;
      const message = passed[at];
      if (!message) return false;
      merge.push(at, message.lane, decodeExchangeFrame(message.payload, schemaOf));
      at++;
      for (let step = merge.next(); step; step = merge.next()) machine.handleExchanged(step);
      machine.comeThrough(merge.through);
      return true;
    };

    return {
      get machine() {
        return machine;
      },
      get isDone() {
        return machine.sequence >= messages.length;
      },
      advance() {
        for (let count = random.int(1, 30); count > 0; count--)
          if (!(part.stage === 1 ? stepInput() : stepExchanged())) break;
        const chance = random.float();
        if (chance < crashShare) {
          crashes++;
          start();
          return;
        }
        if (chance < 0.7 || machine.sequence >= messages.length) flush();
        if (chance > 0.8) {
          flush();
          saved = { snapshot: serialize(machine.snapshot()), readFrom: part.stage === 1 ? at : merge.readFrom(), at };
        }
      },
    };
  };

  const parts = partsOf(plan).map(openPart);
  while (parts.some(({ isDone }) => !isDone)) random.pick(parts).advance();
  const ordered = new Map([...rows].map(([sink, list]) => [sink, [...list].sort(bySequence)]));
  const machines = parts.map(({ machine }) => machine);
  return { rows: ordered, machines, accounting: mergeAccounting(machines.map((one) => one.accounting)), crashes };
}

function bySequence(a: OutputRow, b: OutputRow): number {
  return a.sequence - b.sequence || a.index - b.index;
}
