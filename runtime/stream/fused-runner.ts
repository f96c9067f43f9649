/**
 * Runs neighbouring operators without state as one loop: an event goes through all of them before the next, and no frame is made
 * between them. Each keeps its own counts, and its output can still be looked at.
 */
import { type Observable, Subject } from 'rxjs';
import { type ColumnFunction, columnFunctionOf, type Rows } from './column-functions.ts';
import type { StatelessFunction } from './definition.ts';
import type { EventColumns } from './event-columns.ts';
import { type Batch, columnBatch, type Frame } from './frame.ts';
import { NodeFailure, subscribeFrames } from './frame-subscriber.ts';
import { type Outcomes, outcome } from './ledger.ts';
import {
  emptyCounts,
  type NodeCounts,
  type NodeRunner,
  type RunnerSnapshot,
  statelessSnapshot,
} from './node-runner.ts';
import type { Event } from './schema.ts';

export interface FusedStep {
  readonly node: string;
  /** Null: every event goes on as it is. */
  readonly transform: StatelessFunction | null;
}

interface Member extends FusedStep {
  /** The same over columns. */
  readonly overColumns: ColumnFunction | undefined;
  /** Places of the rows that it has let pass, written over with each batch. */
  kept: Rows;
  readonly counts: NodeCounts;
  readonly out: Subject<Frame>;
  /** Events between two members, gathered only while somebody looks. */
  events: Event[];
  times: number[];
}

type Lineage = Pick<Batch, 'times' | 'causes'>;

/** Of a batch the first `count` of `rows`; times and causes are those of all its rows. */
interface ChosenRows extends Lineage {
  readonly columns: EventColumns;
  readonly rows: Rows;
  readonly count: number;
}

type Select = Extract<ColumnFunction, { readonly kind: 'select' }>['select'];

const never: Observable<Frame> = new Subject<Frame>();

export class FusedRunner {
  private readonly members: Member[];
  private readonly ledger: Outcomes;
  private watermarkTime = Number.NEGATIVE_INFINITY;
  private busyMs = 0;

  private readonly givesColumns: boolean;

  /** `givesColumns`: who reads on is glad of columns; everybody else of objects. */
  constructor(steps: readonly FusedStep[], ledger: Outcomes, { givesColumns = false } = {}) {
    this.givesColumns = givesColumns;
    this.members = steps.map((step) => ({
      ...step,
      overColumns: columnFunctionOf(step.transform),
      kept: new Uint32Array(0),
      counts: emptyCounts(),
      out: new Subject(),
      events: [],
      times: [],
    }));
    this.ledger = ledger;
  }

  connect(frames: Observable<Frame>): void {
    subscribeFrames(frames, (frame) => this.receive(frame));
  }

  /** Each of the nodes as the rest of the engine sees it. */
  get views(): readonly NodeRunner[] {
    return this.members.map((member) => this.viewOf(member));
  }

  private viewOf(member: Member): NodeRunner {
    const runner = this;
    return {
      node: member.node,
      counts: member.counts,
      stateKeys: 0,
      stateEvicted: 0,
      get busyMs() {
        // The loop is one: what it takes is shared evenly among its members.
        return runner.busyMs / runner.members.length;
      },
      get watermark() {
        return runner.watermarkTime;
      },
      output: (port) => (port === 'out' ? member.out : never),
      inject: (_input, batch) => runner.handleBatch(batch, runner.members.indexOf(member)),
      flush() {},
      resume() {},
      view: () => ({ watermark: runner.watermarkTime, inputs: [], entries: () => [], timers: () => [] }),
      snapshot: () => statelessSnapshot(member.counts, runner.watermarkTime),
      restore(snapshot: RunnerSnapshot) {
        Object.assign(member.counts, snapshot.counts);
        runner.watermarkTime = snapshot.watermark;
      },
    };
  }

  private receive(frame: Frame): void {
    if (frame.kind === 'batch') {
      this.handleBatch(frame);
      return;
    }
    this.watermarkTime =
      frame.kind === 'watermark' ? Math.max(frame.time, this.watermarkTime) : Number.POSITIVE_INFINITY;
    for (const { out } of this.members) out.next(frame);
  }

  /** `first`: the member that the events come to. */
  private handleBatch(batch: Batch, first = 0): void {
    const last = this.members.at(-1) as Member;
    const began = performance.now();
    const isUnchanged = last.transform === null && first === this.members.length - 1;
    const passed = isUnchanged ? passAll(batch, last) : (this.passColumns(batch, first) ?? this.passEach(batch, first));
    this.busyMs += performance.now() - began;
    for (const member of this.members) if (member !== last) showBetween(member);
    if (passed.times.length === 0) return;
    if (!last.out.observed)
      for (const cause of passed.causes) this.ledger.settle(cause, outcome.dropped, 'unused port out');
    last.out.next(passed);
  }

  /** The steps, one after the other, over columns, as long as each can be; null where the first cannot. */
  private passColumns(batch: Batch, first: number): Batch | null {
    const { members } = this;
    const last = members.length - 1;
    const isLookedAt = members.some(({ out }, at) => at < last && out.observed);
    if (!batch.columns || isLookedAt || !(members[first] as Member).overColumns) return null;
    let chosen = everyRowOf(batch.columns, batch);
    for (let at = first; at <= last; at++) {
      const member = members[at] as Member;
      const { node, overColumns, counts } = member;
      if (!overColumns) return this.passEach(objectsOf(chosen), at);
      if (overColumns.kind === 'select') {
        chosen = this.select(member, overColumns.select, chosen);
        continue;
      }
      const { columns, rows, count } = chosen;
      counts.in += count;
      counts.out += count;
      const next = members[at + 1];
      if (next ? !next.overColumns : !this.givesColumns) {
        const events = named(node, () => overColumns.build(columns, rows, count));
        const built: Batch = { kind: 'batch', events, ...lineageOf(chosen) };
        return next ? this.passEach(built, at + 1) : built;
      }
      const built = named(node, () => overColumns.buildColumns(columns, rows, count));
      chosen = everyRowOf(built, lineageOf(chosen));
    }
    return this.givesColumns ? columnsOf(chosen) : objectsOf(chosen);
  }

  private select(member: Member, select: Select, { columns, causes, rows, count, times }: ChosenRows): ChosenRows {
    if (member.kept.length < count) member.kept = new Uint32Array(count);
    const { node, kept, counts } = member;
    const keptCount = named(node, () => select(columns, rows, count, kept));
    counts.in += count;
    counts.out += keptCount;
    counts.filtered += count - keptCount;
    for (let from = 0, next = 0; from < count; from++) {
      if (next < keptCount && kept[next] === rows[from]) next++;
      else this.ledger.settle(causes[rows[from] as number] as number, outcome.filtered);
    }
    return { columns, times, causes, rows: kept, count: keptCount };
  }

  private passEach({ events, times, causes }: Batch, first: number): Batch {
    const { members, ledger } = this;
    const last = members.length - 1;
    // Copies that are written over: an array that grows is copied again and again.
    const passed = events.slice();
    let passedTimes: number[] | undefined;
    let passedCauses: number[] | undefined;
    let count = 0;
    for (let index = 0; index < events.length; index++) {
      let event: Event | null = events[index] as Event;
      for (let at = first; at <= last; at++) {
        const member = members[at] as Member;
        member.counts.in++;
        event = applyStep(member, event);
        if (event === null) {
          member.counts.filtered++;
          ledger.settle(causes[index] as number, outcome.filtered);
          break;
        }
        member.counts.out++;
        if (at < last && member.out.observed) {
          member.events.push(event);
          member.times.push(times[index] as number);
        }
      }
      if (event === null) {
        passedTimes ??= times.slice();
        passedCauses ??= causes.slice();
        continue;
      }
      passed[count] = event;
      if (passedTimes && passedCauses) {
        passedTimes[count] = times[index] as number;
        passedCauses[count] = causes[index] as number;
      }
      count++;
    }
    if (!passedTimes || !passedCauses) return { kind: 'batch', events: passed, times, causes };
    passed.length = count;
    passedTimes.length = count;
    passedCauses.length = count;
    return { kind: 'batch', events: passed, times: passedTimes, causes: passedCauses };
  }
}

let places = new Uint32Array(0);

/** The places of all rows. */
function everyRow(count: number): Rows {
  if (places.length < count) places = Uint32Array.from({ length: count }, (_, at) => at);
  return places;
}

function everyRowOf(columns: EventColumns, { times, causes }: Lineage): ChosenRows {
  return { columns, times, causes, rows: everyRow(columns.length), count: columns.length };
}

function objectsOf(chosen: ChosenRows): Batch {
  const { columns, rows, count } = chosen;
  return { kind: 'batch', events: columns.pick(rows, count), ...lineageOf(chosen) };
}

function columnsOf(chosen: ChosenRows): Batch {
  const { columns, rows, count } = chosen;
  return columnBatch(count === columns.length ? columns : columns.gather(rows, count), lineageOf(chosen));
}

function lineageOf({ times, causes, rows, count }: ChosenRows): Lineage {
  if (count === times.length) return { times, causes };
  const ownTimes = new Array<number>(count);
  const ownCauses = new Array<number>(count);
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    ownTimes[at] = times[row] as number;
    ownCauses[at] = causes[row] as number;
  }
  return { times: ownTimes, causes: ownCauses };
}

function passAll(batch: Batch, { counts }: Member): Batch {
  counts.in += batch.times.length;
  counts.out += batch.times.length;
  return batch;
}

function applyStep({ node, transform }: Member, event: Event): Event | null {
  if (transform === null) return event;
  try {
    return transform(event);
  } catch (error) {
    throw new NodeFailure(node, error);
  }
}

/** An error says which node it comes from. */
function named<Result>(node: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new NodeFailure(node, error);
  }
}

function showBetween(member: Member): void {
  if (member.events.length === 0) return;
  const { events, times } = member;
  member.events = [];
  member.times = [];
  // Whoever looks on does not decide what becomes of an event: causes stay with the members behind.
  member.out.next({ kind: 'batch', events, times, causes: events.map(() => -1) });
}
