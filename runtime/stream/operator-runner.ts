/**
 * Runs one operator over frames, as an RxJS operator: observables of frames in, one observable of frames for each port out.
 * Batching, the frame protocol, watermarks, timers and the outcome of events are done here, so that an operator's author
 * writes functions of one event.
 *
 * A stage handles its log in waves: the events up to the next movement of a watermark, then the watermark. An operator with one
 * input handles frames as they come. One with several waits for the end of the wave and takes its inputs in the order of
 * the source events that caused them; so the result is the same however the log was cut into messages.
 */
import type { Observable } from 'rxjs';
import type { EventColumns } from './event-columns.ts';
import { type Batch, columnBatch, end, type Frame } from './frame.ts';
import { NodeFailure, subscribeFrames } from './frame-subscriber.ts';
import { EventTimers } from './keyed-state.ts';
import { type Outcomes, outcome } from './ledger.ts';
import { makeHandler } from './make-handler.ts';
import { emptyCounts, type NodeCounts, type NodeRunner, type RunnerSnapshot } from './node-runner.ts';
import { NodeStates } from './node-states.ts';
import type { BoundOperator, OperatorHandler, Output } from './operator-definition.ts';
import { OutputPorts } from './output-ports.ts';
import type { Event } from './schema.ts';
import type { TimedColumns } from './source-definition.ts';
import type { NodeView } from './state-view.ts';
import { atEnd, combineEdges, type Progress, unstarted } from './watermark.ts';
import { type Cursor, firstOf } from './wave.ts';

interface InputPort {
  readonly name: string;
  progress: Progress;
  readonly waiting: Batch[];
}

/** An event that a node turned away, as it came in. */
export interface TurnedAway {
  readonly event: Event;
  readonly time: number;
  readonly code: string;
  readonly reason: string;
  /** The input that it had come by; undefined where a node with several gave up what had waited. */
  readonly input: string | undefined;
}

export class OperatorRunner implements Output, NodeRunner {
  readonly node: string;
  /** Time spent in the operator itself, ms, since the process began. */
  busyMs = 0;
  readonly counts: NodeCounts = emptyCounts();
  private readonly inputs: InputPort[];
  /** Those whose time counts. */
  private readonly heard: InputPort[];
  private readonly ports: OutputPorts;
  private readonly handler: OperatorHandler;
  private readonly states: NodeStates;
  private readonly timers = new EventTimers();
  private readonly ledger: Outcomes;
  private readonly onDead: ((letter: TurnedAway) => void) | undefined;
  private readonly usesTimers: boolean;
  private readonly readsColumns: boolean;
  private watermarkTime = Number.NEGATIVE_INFINITY;
  private idle = false;
  private ended = false;
  private forwarded = Number.NEGATIVE_INFINITY;
  private forwardedIdle = false;
  /** How far time had come before all that feeds it ended. */
  private passed = unstarted.time;
  /** Those behind it had come to their end with it: what is forwarded next begins anew. */
  private beginsAnew = false;
  private cause = -1;
  private time = 0;
  private touched = false;
  private input: string | undefined;

  constructor(args: {
    node: string;
    bound: BoundOperator;
    inputs: readonly string[];
    /** Inputs by which nothing ever comes: no time is waited for there. */
    silent?: ReadonlySet<string>;
    ledger: Outcomes;
    /** Told of every event that the node turns away, at once. */
    onDead?: (letter: TurnedAway) => void;
  }) {
    this.node = args.node;
    this.states = new NodeStates(args.node);
    this.ledger = args.ledger;
    this.onDead = args.onDead;
    this.inputs = args.inputs.map((name) => ({ name, progress: unstarted, waiting: [] }));
    this.heard = this.inputs.filter(({ name }) => !args.silent?.has(name));
    this.ports = new OutputPorts(args.node, [...Object.keys(args.bound.ports), 'late', 'dead']);
    this.handler = makeHandler(args.bound, {
      node: this.node,
      timers: this.timers,
      watermark: () => this.watermarkTime,
      keyedState: (name, options) => this.states.keyedState(name, options),
      rowState: (name, options) => this.states.rowState(name, options),
      ownState: (name, state) => this.states.ownState(name, state),
    });
    this.usesTimers = this.handler.timer !== undefined;
    // Who looks over the shoulder of a handler lets it take objects alone.
    this.readsColumns = args.bound.readsColumns === true && this.handler.columns !== undefined;
  }

  /** Subscribes to one of the inputs. */
  connect(input: string, frames: Observable<Frame>): void {
    const port = this.inputs.find((candidate) => candidate.name === input);
    if (!port) throw new Error(`node ${this.node} has no input ${input}`);
    subscribeFrames(frames, (frame) => this.guarded(() => this.receive(port, frame)));
  }

  /** Events come in by an input as if the node before it had sent them. */
  inject(input: string, batch: Batch): void {
    const port = this.inputs.find((candidate) => candidate.name === input);
    if (!port) throw new Error(`node ${this.node} has no input ${input}`);
    this.guarded(() => this.receive(port, batch));
  }

  /** The frames that leave by a port. */
  output(port: string): Observable<Frame> {
    return this.ports.named(port).subject;
  }

  get watermark(): number {
    return this.watermarkTime;
  }

  get stateKeys(): number {
    return this.states.keys;
  }

  get stateEvicted(): number {
    return this.states.evicted;
  }

  /** The wave is over: an operator with several inputs now handles what came. */
  flush(): void {
    if (this.inputs.length === 1) return;
    this.guarded(() => {
      this.handleWaiting();
      this.advance();
    });
  }

  sayAnew(): void {
    this.flush();
    this.guarded(() => {
      const { forwarded: time, forwardedIdle: idle } = this;
      this.ports.forward(this.ended ? end : { kind: 'watermark', time, idle, anew: true });
    });
  }

  /** A wave of its own, for what the operator has left. */
  nextWave(): void {
    this.guarded(() => {
      this.handler.nextWave?.(this);
      this.ports.send();
    });
  }

  /** All of the stage has been restored. */
  resume(): void {
    this.handler.resume?.();
  }

  view(): NodeView {
    return {
      watermark: this.watermarkTime,
      inputs: this.heard.map(({ name, progress }) => [name, progress] as const),
      entries: (key) => this.states.entriesOf(key),
      timers: (key, countMax) => this.timers.of(key, countMax),
    };
  }

  snapshot(): RunnerSnapshot {
    return {
      states: this.states.snapshot(),
      timers: this.timers.snapshot(),
      inputs: this.inputs.map((input) => [input.name, input.progress] as const),
      watermark: this.watermarkTime,
      idle: this.forwardedIdle,
      forwarded: this.forwarded,
      ...(this.passed !== unstarted.time && { passed: this.passed }),
      counts: { ...this.counts },
    };
  }

  restore(snapshot: RunnerSnapshot): void {
    this.states.restore(snapshot.states);
    this.timers.restore(snapshot.timers);
    for (const [name, progress] of snapshot.inputs) {
      const input = this.inputs.find((candidate) => candidate.name === name);
      if (input) input.progress = progress;
    }
    this.watermarkTime = snapshot.watermark;
    // Fed by what has ended only since a change of the topology, it comes to its end with the next message.
    const hasMoved = this.watermarkTime === atEnd.time;
    this.ended = hasMoved && this.heard.every(({ progress }) => progress.ended) && !this.awaits;
    this.idle = snapshot.idle;
    this.forwarded = snapshot.forwarded;
    this.forwardedIdle = snapshot.idle;
    this.passed = snapshot.passed ?? unstarted.time;
    Object.assign(this.counts, snapshot.counts);
  }

  // -- Output, for the handler ---------------------------------------------------------------------------------------

  emit(event: Event, time?: number, port?: string): void {
    const target = port === undefined ? this.ports.main : this.ports.named(port);
    target.events.push(event);
    target.times.push(time ?? this.time);
    target.causes.push(this.cause);
    this.counts.out++;
    this.touched = true;
    if (!target.subject.observed) this.ledger.settle(this.cause, outcome.dropped, `unused port ${target.name}`);
  }

  emitColumns(columns: EventColumns, times: readonly number[]): void {
    this.ports.addBatch(columnBatch(columns, { times, causes: new Array<number>(columns.length).fill(-1) }));
    this.counts.out += columns.length;
  }

  filtered(): void {
    this.counts.filtered++;
    this.settle(outcome.filtered);
  }

  late(event: Event, time: number): void {
    this.counts.late++;
    this.settle(outcome.late);
    this.side('late', event, time);
  }

  dropped(reason: string): void {
    this.counts.dropped++;
    this.settle(outcome.dropped, reason);
  }

  dead(event: Event, code: string, reason: string, time?: number): void {
    this.counts.dead++;
    this.settle(outcome.dead);
    const input = this.input ?? (this.inputs.length === 1 ? this.inputs[0]?.name : undefined);
    this.onDead?.({ event, time: time ?? this.time, code, reason, input });
    this.side('dead', { ...event, code, reason }, time ?? this.time);
  }

  // -- frames --------------------------------------------------------------------------------------------------------

  private receive(input: InputPort, frame: Frame): void {
    if (frame.kind === 'batch') {
      if (this.inputs.length > 1) {
        input.waiting.push(frame);
        return;
      }
      this.handleBatch(frame, input.name);
      this.ports.send();
      return;
    }
    const { time, idle, anew } = frame.kind === 'watermark' ? frame : { ...atEnd, anew: false };
    const before = anew && input.progress.time === atEnd.time ? unstarted.time : input.progress.time;
    input.progress = { time: Math.max(time, before), idle, ended: frame.kind === 'end' };
    if (this.inputs.length === 1) this.advance();
  }

  /** What throws in here goes up to the stage with the name of the node that it came from. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw error instanceof NodeFailure ? error : new NodeFailure(this.node, error);
    }
  }

  private handleBatch(batch: Batch, input: string): void {
    const began = performance.now();
    if (batch.columns && this.readsColumns) {
      this.handleColumns({ events: batch.columns, times: batch.times }, batch.causes, input);
      this.busyMs += performance.now() - began;
      return;
    }
    const { events, times, causes } = batch;
    for (let index = 0; index < events.length; index++) {
      this.handleEvent(events[index] as Event, times[index] as number, causes[index] as number, input);
    }
    this.busyMs += performance.now() - began;
  }

  private handleColumns(batch: TimedColumns, causes: readonly number[], input: string): void {
    const { events, times } = batch;
    const alone: number[] = [];
    this.handler.columns?.(batch, (row) => {
      const [event] = events.pick([row], 1) as [Event];
      this.handleEvent(event, times[row] as number, causes[row] as number, input);
      alone.push(row);
    });
    this.counts.in += events.length - alone.length;
    // The others have become part of the state.
    let from = 0;
    for (const row of [...alone, events.length]) {
      this.ledger.settleAll(causes, outcome.delivered, { from, to: row });
      from = row + 1;
    }
  }

  private handleEvent(event: Event, time: number, cause: number, input: string): void {
    this.cause = cause;
    this.time = time;
    this.touched = false;
    this.input = input;
    this.counts.in++;
    this.handler.event(event, time, this, input);
    this.input = undefined;
    // Neither sent on nor turned away: it has become part of the node's state, and so of later results.
    if (!this.touched) this.ledger.settle(cause, outcome.delivered);
    this.cause = -1;
  }

  /** The batches of all inputs, merged by cause; equal causes in the order of the inputs. */
  private handleWaiting(): void {
    const cursors = this.inputs.flatMap((input): Cursor[] =>
      input.waiting.length > 0 ? [{ input: input.name, batches: input.waiting.splice(0), batch: 0, index: 0 }] : [],
    );
    const began = performance.now();
    for (let next = firstOf(cursors); next; next = firstOf(cursors)) this.handleRun(next.cursor, next.until);
    this.busyMs += performance.now() - began;
    this.ports.send();
  }

  /** Events of one input, up to a cause. */
  private handleRun(cursor: Cursor, until: number): void {
    const { events, times, causes } = cursor.batches[cursor.batch] as Batch;
    let { index } = cursor;
    for (; index < events.length && (causes[index] as number) < until; index++)
      this.handleEvent(events[index] as Event, times[index] as number, causes[index] as number, cursor.input);
    const isThrough = index === events.length;
    cursor.index = isThrough ? 0 : index;
    if (isThrough) cursor.batch++;
  }

  private advance(): void {
    const { time, idle } = combineEdges(this.heard.map((input) => input.progress));
    if (this.watermarkTime === atEnd.time && time < atEnd.time) this.beginAnew(time);
    else if (time > this.watermarkTime) {
      this.moveTo(time);
      this.ports.send();
    }
    this.idle = idle;
    this.forwardWatermark();
    if (this.ended || this.awaits || !this.heard.every((input) => input.progress.ended)) return;
    this.ended = true;
    this.handler.end?.(this);
    this.ports.send();
    this.ports.forward(end);
  }

  /** What fed it had ended, and since a change of the topology something else does: its time goes on there, but takes back none that was passed. */
  private beginAnew(time: number): void {
    this.ended = false;
    this.forwarded = unstarted.time;
    this.beginsAnew = true;
    this.watermarkTime = unstarted.time;
    const from = Math.max(time, this.passed);
    if (from === unstarted.time) return;
    // What the operator itself knows of the time is that it had ended.
    this.moveTo(from);
    this.ports.send();
  }

  private moveTo(time: number): void {
    const began = performance.now();
    if (time === atEnd.time) this.passed = Math.max(this.passed, this.watermarkTime);
    this.watermarkTime = time;
    this.cause = -1;
    if (this.usesTimers) {
      for (let timer = this.timers.takeDue(time); timer; timer = this.timers.takeDue(time)) {
        this.time = timer.time;
        this.handler.timer?.(timer.key, timer.name, timer.time, this);
      }
    }
    this.time = time;
    this.handler.watermark?.(time, this);
    this.states.expire(time);
    this.busyMs += performance.now() - began;
  }

  private get awaits(): boolean {
    return this.handler.awaits?.() === true;
  }

  private forwardWatermark(): void {
    const held = this.handler.holdsFrom?.() ?? Number.POSITIVE_INFINITY;
    const time = Math.max(this.forwarded, Math.min(this.watermarkTime, held - 1));
    // Nobody waits for what is idle: it would let time pass that is held back here.
    const idle = this.idle && !this.awaits;
    const anew = this.beginsAnew;
    if (time === this.forwarded && idle === this.forwardedIdle && !anew) return;
    this.forwarded = time;
    this.forwardedIdle = idle;
    this.beginsAnew = false;
    this.ports.forward({ kind: 'watermark', time, idle, ...(anew && { anew }) });
  }

  private side(name: 'late' | 'dead', event: Event, time: number): void {
    const port = this.ports.named(name);
    if (!port.subject.observed) return;
    port.events.push(event);
    port.times.push(time);
    // The outcome is settled here; whoever reads the port does not change it.
    port.causes.push(-1);
  }

  private settle(result: (typeof outcome)[keyof typeof outcome], reason?: string): void {
    this.touched = true;
    this.ledger.settle(this.cause, result, reason);
  }
}
