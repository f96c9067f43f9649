/**
 * A stage: a deterministic state machine over its input log. `handle` takes one log message through every operator; the same
 * messages from the same state always give the same outputs. It touches neither clock, network nor disk.
 */
import type { Observable } from 'rxjs';
import { messageOf } from '../errors.ts';
import { withColumns } from '../stream/event-columns.ts';
import type { Batch, Frame } from '../stream/frame.ts';
import { end } from '../stream/frame.ts';
import { NodeFailure } from '../stream/frame-subscriber.ts';
import { type Accounting, emptyAccounting, Ledger, outcome, outcomesOf, type Settled } from '../stream/ledger.ts';
import type { NodeRunner, RunnerSnapshot } from '../stream/node-runner.ts';
import type { Event } from '../stream/schema.ts';
import type { StageView } from '../stream/state-view.ts';
import type { OriginHeard } from '../stream/watermark.ts';
import type { BoundTopology, NodePort } from '../topology/bound.ts';
import { decodeLetter, endingOf } from './dead-letter.ts';
import { executionErrors } from './errors.ts';
import { tellAccounts, toldOf } from './exchange/accounts.ts';
import { AnswersOn } from './exchange/answers-on.ts';
import { ExchangeInputs, type ExchangeInputsSnapshot } from './exchange/exchange-inputs.ts';
import type { ExchangeStep } from './exchange/exchange-merge.ts';
import { passExchanges } from './exchange/pass-exchanges.ts';
import { answersExchange, type PassedAnswers, type PassedRedrive, redriveExchange } from './exchange/passed-on.ts';
import { LargeRows } from './large-rows.ts';
import type { AnswersFrame, InputFrame, SilenceFrame, SourceFrame } from './log-frame.ts';
import { QuestionNames } from './lookup.ts';
import { RedriveHandler } from './redrive-handler.ts';
import { StageNodes } from './stage-nodes.ts';
import { deadLetterOutput, type StageOutputs } from './stage-outputs.ts';
import { accountsStage, type StagePart, wholePart } from './stage-part.ts';
import { type SourceSnapshot, type StageOfSource, StageSource } from './stage-source.ts';

export interface StageSnapshot {
  readonly sequence: number;
  readonly nodes: Map<string, RunnerSnapshot>;
  readonly sources: Map<string, SourceSnapshot>;
  /** How far each lane of each exchange has come; absent in the first stage. */
  readonly exchanges?: ExchangeInputsSnapshot;
  readonly accounting: Accounting;
  /** The topology has changed: with the next message everything says once more how far its time has come. */
  readonly saysAnew?: boolean;
}

export class StageMachine {
  readonly topology: BoundTopology;
  readonly part: StagePart;
  private readonly ledger: Ledger;
  private readonly sources = new Map<string, StageSource>();
  private readonly nodes: StageNodes;
  private readonly outputs: StageOutputs;
  private readonly exchanges: ExchangeInputs;
  private current = { sequence: 0, index: 0, acceptedAt: 0, wave: 0 };
  private readonly redrives: RedriveHandler;
  private readonly answersOn: AnswersOn;
  private saysAnew = false;
  private readonly questions = new QuestionNames();

  constructor(topology: BoundTopology, outputs: StageOutputs, part: StagePart = wholePart(topology)) {
    this.topology = topology;
    this.outputs = outputs;
    this.part = part;
    const isToldOn = part.plan.partitions > 1 && part.stage !== accountsStage;
    this.ledger = new Ledger(isToldOn ? { tell: (settled) => this.tell(settled) } : {});
    this.exchanges = new ExchangeInputs(part);
    this.answersOn = new AnswersOn(part, outputs.exchange);
    this.redrives = new RedriveHandler({
      topology,
      part,
      ledger: this.ledger,
      place: () => this.current,
      source: (node) => this.source(node).frames,
      runner: (node) => this.nodes.runners.get(node),
      endWave: () => this.endWave(),
      deadLetter: (letter, time) => this.deadLetter(letter, time),
      exchange: outputs.exchange,
    });
    const largeRows = new LargeRows({
      topology,
      part,
      ledger: this.ledger,
      countsOf: (node) => this.nodes.runners.get(node)?.counts,
      redrive: () => this.redrives.current,
      deadLetter: (letter, time) => this.deadLetter(letter, time),
    });
    const stage: StageOfSource = {
      ledger: this.ledger,
      isFirst: part.partition === 0,
      endWave: () => this.endWave(),
      deadLetter: (letter) => this.deadLetter(letter, this.current.acceptedAt),
    };
    for (const node of part.stage === 1 ? topology.sources : [])
      this.sources.set(node.id, new StageSource(node, stage));
    this.nodes = new StageNodes({
      topology,
      part,
      ledger: this.ledger,
      largeRows,
      redrives: this.redrives,
      source: (node) => this.sources.get(node)?.frames,
      exchange: (exchange) => this.exchanges.frames(exchange),
      question: (question) => outputs.question(question),
      nameOfQuestion: (node, asked) => this.questions.nameOf(node, this.current.sequence, asked),
      rows: (sink, batch) => this.rows(sink, batch),
      deadLetter: (letter, time) => this.deadLetter(letter, time),
    });
    if (outputs.exchange)
      passExchanges({
        part,
        frames: (from) => this.output(from),
        place: () => {
          const redrive = this.redrives.passed;
          return redrive ? { ...this.current, redrive } : this.current;
        },
        largeRows,
        to: outputs.exchange,
      });
  }

  /** Input sequence handled last. */
  get sequence(): number {
    return this.current.sequence;
  }

  get accounting(): Accounting {
    return this.ledger.accounting;
  }

  /** In the states of all its nodes. */
  get stateKeys(): number {
    let keys = 0;
    for (const { stateKeys } of this.nodes.runners.values()) keys += stateKeys;
    return keys;
  }

  runner(node: string): NodeRunner | undefined {
    return this.nodes.runners.get(node);
  }

  sourceWatermark(node: string): { time: number; idle: boolean; holding: string | undefined } {
    const source = this.source(node);
    return { time: source.origins.time, idle: source.origins.allIdle, holding: source.origins.holding()?.origin };
  }

  /** Every origin of a source that is not closed, with when it was heard last. */
  originsHeard(node: string): OriginHeard[] {
    return this.source(node).origins.heard();
  }

  mark(node: string, origin: string): string | undefined {
    return this.source(node).mark(origin);
  }

  /** Nothing more comes of the source: everything that had come is handled. */
  hasEnded(node: string): boolean {
    return this.source(node).ended;
  }

  origins(node: string): readonly string[] {
    return this.source(node)
      .origins.snapshot()
      .origins.map(([origin]) => origin);
  }

  handle(sequence: number, source: string, frame: InputFrame): void {
    if (frame.kind === 'version') return this.comeThrough(sequence);
    const isOfSource = frame.kind === 'source' || frame.kind === 'silence';
    if (isOfSource && !this.sources.has(source)) return this.handleGone(sequence, source, frame);
    this.begin(sequence, frame.kind === 'source' ? frame.acceptedAt : 0);
    try {
      this.sayAnew();
      if (frame.kind === 'source') this.source(source).handle(frame);
      else if (frame.kind === 'silence') this.source(source).handleSilence(frame);
      else if (frame.kind === 'redrive') this.redrives.handle(source, frame);
      else this.handleAnswers(source, frame);
    } catch (error) {
      const node = error instanceof NodeFailure ? error.node : source;
      throw executionErrors.make('MACH3208', { node, reason: messageOf(error) }, error);
    }
    this.ledger.close();
  }

  /**
   * A message of a source that the topology has no more: its events are counted, and go nowhere. What could not be decoded becomes dead letters as
   * ever: nothing of the source is needed for that.
   */
  private handleGone(sequence: number, source: string, frame: SourceFrame | SilenceFrame): void {
    this.begin(sequence, frame.kind === 'source' ? frame.acceptedAt : 0);
    const isTold = frame.kind === 'source' && this.part.partition === 0;
    const [events, letters] = isTold ? [frame.times.length, frame.deadLetters] : [0, []];
    this.ledger.open(events, letters.length);
    for (const letter of letters) this.deadLetter(decodeLetter(source, letter), this.current.acceptedAt);
    for (let index = 0; index < events; index++) this.ledger.settle(index, outcome.dropped, 'source removed');
    this.ledger.close();
  }

  /** Answers to what the message handled last has asked, given at once: for replays that ask anew. Their rows follow those of the message. */
  answerNow(node: string, frame: AnswersFrame): void {
    try {
      this.handleAnswers(node, frame);
    } catch (error) {
      throw executionErrors.make('MACH3208', {
        node: error instanceof NodeFailure ? error.node : node,
        reason: messageOf(error),
      });
    }
    this.ledger.close();
  }

  /** Of a later stage: everything that one source message caused in the stages before. */
  handleExchanged(step: ExchangeStep): void {
    let acceptedAt = 0;
    for (const { rows } of step.waves) for (const row of rows) acceptedAt = Math.max(acceptedAt, row.acceptedAt);
    this.begin(step.sequence, acceptedAt);
    try {
      if (this.part.stage === accountsStage) return this.count(step);
      this.sayAnew();
      this.ledger.open(this.exchanges.countCauses(step), 0);
      for (const { wave, redrive, frames } of this.exchanges.framesOf(step)) {
        this.redrives.goingOn(redrive, () => {
          this.current.wave = wave;
          for (const { exchange, frame } of frames) this.exchanges.send(exchange, frame);
          this.nodes.endWave();
        });
      }
      this.redrives.goingOn(step.redrive, () => this.ledger.close());
      for (const { rows } of step.waves) {
        for (const { exchange, event } of rows) {
          if (exchange === redriveExchange) this.redrives.handlePassed(event as unknown as PassedRedrive);
          if (exchange === answersExchange) {
            const { node, frame } = event as unknown as PassedAnswers;
            this.handleAnswers(node, frame);
          }
        }
      }
    } catch (error) {
      const node = error instanceof NodeFailure ? error.node : `stage ${this.part.stage}`;
      throw executionErrors.make('MACH3208', { node, reason: messageOf(error) }, error);
    }
    this.ledger.close();
  }

  /** What is silent or has ended does not say so again by itself to whom it feeds only since the change, here or in later stages. */
  private sayAnew(): void {
    if (!this.saysAnew) return;
    this.saysAnew = false;
    this.ledger.open(0, 0);
    for (const source of this.sources.values()) source.sayAnew();
    this.exchanges.sayAnew();
    for (const runner of this.nodes.runners.values()) runner.sayAnew();
    this.endWave();
  }

  private tell(settled: Settled): void {
    const { sequence } = this.current;
    tellAccounts({ part: this.part, sequence, settled, redrive: this.redrives.told, to: this.outputs.exchange });
  }

  /** Of the stage of the accounts: all that is known of the events of one source message. */
  private count(step: ExchangeStep): void {
    const settled = toldOf(step);
    this.ledger.account(settled);
    const { redrive } = step;
    if (redrive) this.deadLetter(endingOf(redrive.node, redrive, outcomesOf(settled)), redrive.time);
  }

  /** Every lane has come through this sequence: nothing up to it is still to come. */
  comeThrough(sequence: number): void {
    if (sequence > this.current.sequence) this.begin(sequence, 0);
  }

  /** All inputs have ended, whatever their sources have said: every window closes. For tests and replays. */
  finish(): void {
    this.current = { ...this.current, acceptedAt: 0 };
    this.ledger.open(0, 0);
    for (const source of this.sources.values()) source.frames.next(end);
    this.exchanges.end();
    this.endWave();
    this.ledger.close();
  }

  view(): StageView {
    return {
      node: (id) => this.nodes.runners.get(id)?.view(),
      source: (id) => this.sources.get(id)?.origins.view(),
    };
  }

  snapshot(): StageSnapshot {
    return {
      sequence: this.current.sequence,
      nodes: new Map([...this.nodes.runners].map(([id, runner]) => [id, runner.snapshot()])),
      sources: new Map([...this.sources].map(([id, source]) => [id, source.snapshot()])),
      ...(this.part.stage === 1 ? {} : { exchanges: this.exchanges.snapshot() }),
      accounting: this.ledger.accounting,
      ...(this.saysAnew && { saysAnew: true }),
    };
  }

  /** Nodes that the snapshot does not know start empty; `without` names nodes whose state is left behind on purpose. */
  restore(snapshot: StageSnapshot, without: ReadonlySet<string> = new Set()): void {
    this.begin(snapshot.sequence, 0);
    this.saysAnew = snapshot.saysAnew ?? false;
    if (snapshot.exchanges) this.exchanges.restore(snapshot.exchanges);
    for (const [id, state] of snapshot.nodes) {
      if (!without.has(id)) this.nodes.runners.get(id)?.restore(state);
    }
    for (const [id, state] of snapshot.sources) if (!without.has(id)) this.sources.get(id)?.restore(state);
    this.ledger.accounting = { ...emptyAccounting(), ...snapshot.accounting };
    for (const runner of this.nodes.runners.values()) runner.resume();
  }

  private handleAnswers(node: string, frame: AnswersFrame): void {
    const stage = this.part.plan.nodes.get(node)?.stage;
    if (stage !== undefined && stage !== this.part.stage) {
      this.answersOn.pass(this.current.sequence, stage, { node, frame });
      return;
    }
    this.ledger.open(0, 0);
    const events = frame.answers.map((answer) => ({ ...answer }) as unknown as Event);
    const none = events.map(() => -1);
    this.nodes.answer(node, { kind: 'batch', events, times: events.map(() => 0), causes: none });
    this.endWave();
    for (let left = this.nodes.leftOf(node); left; left = this.nodes.leftOf(node)) {
      this.redrives.answered(left.redrive, () => {
        this.nodes.nextWave(node);
        this.endWave();
      });
    }
  }

  private endWave(): void {
    this.nodes.endWave();
    this.current.wave++;
  }

  private begin(sequence: number, acceptedAt: number): void {
    this.questions.begin();
    this.current = { sequence, index: 0, acceptedAt, wave: 0 };
  }

  private deadLetter(letter: Event, time: number): void {
    this.rows(deadLetterOutput, { events: [letter], times: [time] });
  }

  private rows(output: string, batch: Pick<Batch, 'columns' | 'events' | 'times'>): void {
    const { columns, times } = batch;
    const { sequence, index, acceptedAt } = this.current;
    this.current.index += times.length;
    const { current: redrive } = this.redrives;
    const run = { times, sequence, index, acceptedAt, ...(redrive && output !== deadLetterOutput && { redrive }) };
    this.outputs.rows(output, columns ? withColumns(run, columns) : { ...run, events: batch.events });
  }

  /** The frames of an edge, for whoever looks on. */
  output(from: NodePort): Observable<Frame> {
    return this.nodes.output(from);
  }

  private source(node: string): StageSource {
    const source = this.sources.get(node);
    if (!source) throw new Error(`invariant broken: there is no source ${node}`);
    return source;
  }
}
