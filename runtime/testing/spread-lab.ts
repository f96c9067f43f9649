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
import { rowByRow } from '../execution/output-run.ts';
import { cutState, partKey } from '../execution/rescale/cut-state.ts';
import { StageMachine, type StageSnapshot } from '../execution/stage-machine.ts';
import { laneName, lanesInto, lanesOutOf, partsOf, type StagePart } from '../execution/stage-part.ts';
import type { Random } from '../random.ts';
import { type Accounting, emptyAccounting, mergeAccounting } from '../stream/ledger.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { type SpreadPlan, spreadTopology } from '../topology/spread.ts';

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

/** Where a run goes on from: what the parts know after so many messages. */
interface Begun {
  readonly handled: number;
  readonly parts: ReadonlyMap<string, StageSnapshot>;
}

interface SpreadArguments {
  topology: BoundTopology;
  messages: readonly LabMessage[];
  random: Random;
  crashShare?: number;
}

/** Runs all the messages through in several rounds of equal length, each with another number of partitions: between them the state is cut. */
export function runScaled({ numbers, ...args }: SpreadArguments & { numbers: readonly number[] }): SpreadRun {
  const { topology, messages } = args;
  const rows = new Map<string, (OutputRow & { stage: number; partition: number })[]>();
  let begun: Begun | undefined;
  let machines: readonly StageMachine[] = [];
  let accounting = emptyAccounting();
  let crashes = 0;
  let before: SpreadPlan | undefined;
  for (const [round, partitions] of numbers.entries()) {
    const handled = Math.floor((messages.length * (round + 1)) / numbers.length);
    const plan = spreadTopology(topology, partitions);
    if (before && begun) {
      const cut = cutState({ topology, before, parts: begun.parts }, plan);
      begun = { ...begun, parts: new Map(cut.map(({ part, snapshot }) => [partKey(part), snapshot])) };
    }
    const run = runSpread({ ...args, partitions, messages: messages.slice(0, handled), ...(begun && { begun }) });
    for (const [sink, list] of run.rows) rows.set(sink, [...(rows.get(sink) ?? []), ...list]);
    crashes += run.crashes;
    machines = run.machines;
    accounting = run.accounting;
    const parts = new Map(machines.map((machine) => [partKey(machine.part), copyOf(machine.snapshot())]));
    begun = { handled, parts };
    before = plan;
  }
  return { rows, machines, accounting, crashes };
}

const copyOf = (snapshot: StageSnapshot) => deserialize(serialize(snapshot)) as StageSnapshot;

/** Runs all the messages through. `crashShare`: how often a part that has gone on is put back to its last checkpoint. */
export function runSpread(args: SpreadArguments & { partitions: number; begun?: Begun }): SpreadRun {
  const { topology, partitions, messages, random, crashShare = 0, begun } = args;
  const first = begun?.handled ?? 0;
  const plan = spreadTopology(topology, partitions);
  const schemaOf = (id: string) => plan.exchanges.find((exchange) => exchange.id === id)?.schema ?? { fields: {} };
  const passed: Passed[] = [];
  const rows = new Map<string, (OutputRow & { stage: number; partition: number })[]>();
  let crashes = 0;

  const openPart = (part: StagePart) => {
    const name = laneName(part.stage, part.partition);
    /** What the log has of this part: rows up to here are not given out again. */
    const out = { row: { sequence: first, index: Number.POSITIVE_INFINITY }, through: new Map<string, number>() };
    const cut = begun?.parts.get(partKey(part));
    const readFrom = part.stage === 1 ? first : 0;
    let saved: Saved | undefined = cut && { snapshot: serialize(cut), readFrom, at: readFrom };
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
          rows: rowByRow((output, row) => {
            const known = out.row;
            if (row.sequence < known.sequence || (row.sequence === known.sequence && row.index <= known.index)) return;
            out.row = row;
            const list = rows.get(output) ?? [];
            list.push({ ...row, stage: part.stage, partition: part.partition });
            rows.set(output, list);
          }),
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
        const from = out.through.get(to) ?? first;
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
