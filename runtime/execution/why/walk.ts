/** Messages handled again with notes on, up to the rows that are asked about. */
import { deserialize, serialize } from 'node:v8';
import type { BoundTopology } from '../../topology/bound.ts';
import { landingOf } from '../landing.ts';
import { rowByRow } from '../output-run.ts';
import type { Past, PastMachine, PastMessage } from '../replay/past.ts';
import { StageMachine, type StageSnapshot } from '../stage-machine.ts';
import { isSameRow, type WantedRow } from './alone.ts';
import type { AnswerNotes } from './answer-notes.ts';
import { whyLimits } from './limits.ts';
import type { DerivedLineage, Lineage } from './lineage.ts';
import { ProgressNotes } from './progress.ts';
import { Tracer } from './tracer.ts';

export interface ResultRow extends WantedRow {
  readonly stage: string;
  readonly partition: number;
  /** Sequence in the input stream of the message that gave it. */
  readonly sequence: number;
  readonly index: number;
}

export interface FoundRow {
  readonly row: ResultRow;
  readonly lineage: DerivedLineage;
  /** How far every origin had come when the row was sent. */
  readonly progress: ProgressNotes;
  readonly answers: AnswerNotes;
}

export interface Walk {
  readonly start: number;
  /** Those that came again. */
  readonly found: ReadonlyMap<ResultRow, FoundRow>;
  readonly restored: PastMachine['restored'];
  readonly missing: number;
  /** A machine in the state before a message of the walk. */
  machineBefore(sequence: number): Promise<StageMachine>;
}

export interface WalkOptions {
  readonly past: Past;
  readonly topology: BoundTopology;
  readonly signal?: AbortSignal;
}

/** From a message on, through the last that one of the rows comes from. */
export async function walk(options: WalkOptions, start: number, rows: readonly ResultRow[]): Promise<Walk> {
  const { past, topology, signal } = options;
  const stop = signal ? { signal } : {};
  const until = Math.max(...rows.map(({ sequence }) => sequence));
  const before = await past.machineBefore(start, stop);
  const states = new Map([[start, serialize(before.machine.snapshot())]]);
  const tracer = new Tracer(topology);
  const { answers } = tracer;
  const seeker = new RowSeeker(tracer, topology, rows);
  const machine = new StageMachine(tracer.topology, {
    rows: rowByRow((output, row) => seeker.take(output, row)),
    question() {},
  });
  machine.restore(deserialize(states.get(start) as Uint8Array) as StageSnapshot);
  const progress = new ProgressNotes(machine.snapshot());
  const found = new Map<ResultRow, FoundRow>();
  for await (const message of past.messages(start, { until, ...stop })) {
    const { sequence, node, frame } = landed(message, topology);
    if (sequence !== start && (sequence - start) % whyLimits.walkStateEveryMessages === 0) {
      states.set(sequence, serialize(machine.snapshot()));
      if (states.size > whyLimits.walkStatesKept) states.delete([...states.keys()][1] as number);
    }
    tracer.begin({ ...message, frame });
    machine.handle(sequence, node, frame);
    for (const [row, lineage] of seeker.leave()) found.set(row, foundRow(row, { lineage, progress, answers, message }));
    progress.note(message);
  }
  return {
    start,
    found,
    restored: before.restored,
    missing: before.missing,
    async machineBefore(sequence) {
      const from = Math.max(...[...states.keys()].filter((known) => known <= sequence));
      const copy = new StageMachine(topology, { rows() {}, question() {} });
      copy.restore(deserialize(states.get(from) as Uint8Array) as StageSnapshot);
      for await (const message of past.messages(from, { until: sequence - 1, ...stop })) {
        copy.handle(message.sequence, message.node, message.frame);
      }
      return copy;
    },
  };
}

/** A redriven letter as it goes in: with the very events that the nodes get. */
function landed(message: PastMessage, topology: BoundTopology): PastMessage {
  const { node, frame } = message;
  const landing = frame.kind === 'redrive' ? landingOf(topology, node, frame) : undefined;
  if (frame.kind !== 'redrive' || !landing || 'problem' in landing) return message;
  const input = landing.kind === 'source' ? null : landing.input;
  return { ...message, frame: { ...frame, input, events: landing.events } };
}

function foundRow(
  row: ResultRow,
  args: { lineage: Lineage; progress: ProgressNotes; answers: AnswerNotes; message: PastMessage },
): FoundRow {
  const lineage = asDerived(args.lineage, row.sink);
  const progress = args.progress.copy();
  progress.note(args.message, lineage.moment.at);
  return { row, lineage, progress, answers: args.answers };
}

/** A sink may read a source. */
function asDerived(lineage: Lineage, sink: string): DerivedLineage {
  if (lineage.kind === 'derived') return lineage;
  const { node, sequence, at, event, time } = lineage;
  const reason = { kind: 'event', input: 'from', from: lineage } as const;
  return { kind: 'derived', node: sink, port: 'out', event, time, moment: { node, sequence, at }, reason, cells: [] };
}

/** Looks among the rows of a message for those that are wanted. By what they say: their index differs with the number of partitions. */
class RowSeeker {
  private readonly tracer: Tracer;
  private readonly topology: BoundTopology;
  private readonly wanted = new Map<number, ResultRow[]>();
  private readonly met = new Map<ResultRow, Lineage>();

  constructor(tracer: Tracer, topology: BoundTopology, rows: readonly ResultRow[]) {
    this.tracer = tracer;
    this.topology = topology;
    for (const row of rows) this.wanted.set(row.sequence, [...(this.wanted.get(row.sequence) ?? []), row]);
  }

  take(output: string, made: Pick<ResultRow, 'event' | 'time'>): void {
    const sink = this.topology.sinks.find(({ id }) => id === output);
    if (!sink) return;
    const { from } = this.tracer.take(sink.inputs, made.event);
    const wanted = this.wanted.get(this.tracer.moment.sequence) ?? [];
    const row = wanted.find((one) => one.sink === output && !this.met.has(one) && isSameRow(made, one));
    if (row && from) this.met.set(row, from);
  }

  leave(): [ResultRow, Lineage][] {
    const met = [...this.met];
    this.met.clear();
    return met;
  }
}
