/**
 * Runs neighbouring operators without state together: the events of a frame go through one after the other of them, and no frame is made
 * between them. Each keeps its own counts, and its output can still be looked at.
 */
import { type Observable, Subject } from 'rxjs';
import { EventColumns } from './event-columns.ts';
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
import type { StatelessFunction } from './operator-definition.ts';
import {
  type BuildLoop,
  type CompleteLoop,
  type EventRows,
  everyRow,
  type RowLoop,
  type Rows,
  rowLoopOf,
  type SelectLoop,
} from './row-loops.ts';
import type { Event } from './schema.ts';
import { atEnd } from './watermark.ts';

export interface FusedStep {
  readonly node: string;
  /** Null: every event goes on as it is. */
  readonly transform: StatelessFunction | null;
}

interface Member extends FusedStep {
  readonly loop: RowLoop | undefined;
  /** Places of the rows that it has let pass, written over with each batch. */
  kept: Rows;
  readonly counts: NodeCounts;
  readonly out: Subject<Frame>;
  /** What went on to the next, while somebody looks. */
  shown: Batch | undefined;
}

type Lineage = Pick<Batch, 'times' | 'causes'>;

/** Of a batch the first `count` of `rows`; times and causes are those of all its rows. */
interface ChosenRows extends Lineage {
  readonly events: EventRows;
  readonly rows: Rows;
  readonly count: number;
}

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
      loop: rowLoopOf(step.transform),
      kept: new Uint32Array(0),
      counts: emptyCounts(),
      out: new Subject(),
      shown: undefined,
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
      // What comes to it is passed on as it is.
      sayAnew() {},
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
    const { time, anew } = frame.kind === 'watermark' ? frame : { ...atEnd, anew: false };
    this.watermarkTime = anew ? time : Math.max(time, this.watermarkTime);
    for (const { out } of this.members) out.next(frame);
  }

  /** `first`: the member that the events come to. */
  private handleBatch(batch: Batch, first = 0): void {
    const last = this.members.at(-1) as Member;
    const began = performance.now();
    const passed = this.pass(batch, first);
    this.busyMs += performance.now() - began;
    for (const member of this.members) if (member !== last) showBetween(member);
    if (passed.times.length === 0) return;
    if (!last.out.observed)
      for (const cause of passed.causes) this.ledger.settle(cause, outcome.dropped, 'unused port out');
    last.out.next(passed);
  }

  /** The steps, one after the other, each over all that is left. */
  private pass(batch: Batch, first: number): Batch {
    const { members, givesColumns } = this;
    const isLookedAt = members.some(({ out }, at) => at < members.length - 1 && out.observed);
    // An event is one object for all who look at it.
    let chosen = everyRowOf((isLookedAt ? undefined : batch.columns) ?? batch.events, batch);
    for (let at = first; at < members.length; at++) {
      const member = members[at] as Member;
      const next = members[at + 1];
      chosen = this.step(member, chosen, { toColumns: next ? next.loop?.overColumns === true : givesColumns });
      if (next && member.out.observed) member.shown = objectsOf(chosen);
    }
    if (isEvery(chosen) && chosen.events === (batch.columns ?? batch.events)) return batch;
    return givesColumns ? columnsOf(chosen) : objectsOf(chosen);
  }

  private step(member: Member, given: ChosenRows, { toColumns }: { toColumns: boolean }): ChosenRows {
    const { transform, loop, counts } = member;
    counts.in += given.count;
    if (transform === null) {
      counts.out += given.count;
      return given;
    }
    const isOverColumns = loop?.overColumns === true;
    const chosen = isOverColumns ? given : inObjects(given);
    if (loop === undefined) return this.applyEach(member, transform, chosen);
    switch (loop.kind) {
      case 'select':
        return this.select(member, loop, chosen);
      case 'complete':
        return this.complete(member, loop, chosen, toColumns);
      case 'build':
        return this.build(member, loop, chosen, toColumns);
    }
  }

  private build({ node, counts }: Member, loop: BuildLoop, chosen: ChosenRows, toColumns: boolean): ChosenRows {
    const { events, rows, count } = chosen;
    counts.out += count;
    const built = named(node, () =>
      toColumns && events instanceof EventColumns
        ? loop.buildColumns(events, rows, count)
        : loop.build(events, rows, count),
    );
    return everyRowOf(built, lineageOf(chosen));
  }

  private complete(member: Member, loop: CompleteLoop, chosen: ChosenRows, toColumns: boolean): ChosenRows {
    const { events, rows, count } = chosen;
    const kept = roomIn(member, count);
    const found = named(member.node, () => loop.find(events, rows, count, kept));
    const completed = this.keep(member, chosen, found.length);
    const built = named(member.node, () =>
      toColumns && events instanceof EventColumns
        ? loop.buildColumns(events, completed.rows, found)
        : loop.build(events, completed.rows, found),
    );
    return everyRowOf(built, lineageOf(completed));
  }

  private select(member: Member, { select }: SelectLoop, chosen: ChosenRows): ChosenRows {
    const { events, rows, count } = chosen;
    const kept = roomIn(member, count);
    const keptCount = named(member.node, () => select(events, rows, count, kept));
    return this.keep(member, chosen, keptCount);
  }

  /** A function of which no loop can be made. */
  private applyEach(member: Member, transform: StatelessFunction, chosen: ChosenRows): ChosenRows {
    const { rows, count } = chosen;
    const events = chosen.events as readonly Event[];
    const kept = roomIn(member, count);
    const made: Event[] = [];
    let others = count;
    named(member.node, () => {
      for (let at = 0; at < count; at++) {
        const row = rows[at] as number;
        const event = transform(events[row] as Event);
        if (event === null) kept[--others] = row;
        else kept[made.push(event) - 1] = row;
      }
    });
    return everyRowOf(made, lineageOf(this.keep(member, chosen, made.length)));
  }

  /** The rows whose places the member has written down first go on; the others, behind them, have been filtered. */
  private keep({ counts, kept }: Member, chosen: ChosenRows, keptCount: number): ChosenRows {
    const { causes, count } = chosen;
    counts.out += keptCount;
    counts.filtered += count - keptCount;
    if (keptCount === count) return chosen;
    this.ledger.settleRows(causes, kept, { from: keptCount, to: count }, outcome.filtered);
    return { ...chosen, rows: kept, count: keptCount };
  }
}

function everyRowOf(events: EventRows, { times, causes }: Lineage): ChosenRows {
  return { events, times, causes, rows: everyRow(events.length), count: events.length };
}

function isEvery({ count, times }: ChosenRows): boolean {
  return count === times.length;
}

/** The same as objects. */
function inObjects(chosen: ChosenRows): ChosenRows {
  if (!(chosen.events instanceof EventColumns)) return chosen;
  return everyRowOf(eventsOf(chosen), lineageOf(chosen));
}

function eventsOf(chosen: ChosenRows): readonly Event[] {
  const { events, rows, count } = chosen;
  if (events instanceof EventColumns) return events.pick(rows, count);
  if (isEvery(chosen)) return events;
  const picked = new Array<Event>(count);
  for (let at = 0; at < count; at++) picked[at] = events[rows[at] as number] as Event;
  return picked;
}

function objectsOf(chosen: ChosenRows): Batch {
  return { kind: 'batch', events: eventsOf(chosen), ...lineageOf(chosen) };
}

/** As columns, where they are. */
function columnsOf(chosen: ChosenRows): Batch {
  const { events, rows, count } = chosen;
  if (!(events instanceof EventColumns)) return objectsOf(chosen);
  return columnBatch(isEvery(chosen) ? events : events.gather(rows, count), lineageOf(chosen));
}

function roomIn(member: Member, count: number): Rows {
  if (member.kept.length < count) member.kept = new Uint32Array(count);
  return member.kept;
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

/** An error says which node it comes from. */
function named<Result>(node: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new NodeFailure(node, error);
  }
}

function showBetween(member: Member): void {
  const { shown } = member;
  if (!shown || shown.times.length === 0) return;
  member.shown = undefined;
  // Whoever looks on does not decide what becomes of an event: causes stay with the members behind.
  member.out.next({ ...shown, causes: shown.causes.map(() => -1) });
}
