/** Handles dead letters that go in again, in a stage of a topology: at the source, the operator or the sink that they had failed at. */
import type { Subject } from 'rxjs';
import type { Frame } from '../stream/frame.ts';
import { type Ledger, outcomesOf } from '../stream/ledger.ts';
import type { NodeRunner } from '../stream/node-runner.ts';
import type { Event } from '../stream/schema.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { decodeLetter, endingOf, operatorLetter, sinkLetter } from './dead-letter.ts';
import { executionErrors } from './errors.ts';
import type { PassedLink } from './exchange/exchange-frame.ts';
import type { ExchangeOutput } from './exchange/pass-exchanges.ts';
import { type PassedRedrive, redriveExchange } from './exchange/passed-on.ts';
import { type Landed, landingOf, type Refused } from './landing.ts';
import type { OutputRow, RedriveFrame, RedriveLink } from './log-frame.ts';
import { redriveHome } from './redrive-home.ts';
import type { StagePart } from './stage-part.ts';

/** The stage around it. */
export interface RedriveStage {
  readonly topology: BoundTopology;
  readonly part: StagePart;
  readonly ledger: Ledger;
  /** The message that is being handled. */
  place(): { readonly sequence: number; readonly wave: number };
  source(node: string): Subject<Frame>;
  runner(node: string): NodeRunner | undefined;
  endWave(): void;
  deadLetter(letter: Event, time: number): void;
  readonly exchange: ExchangeOutput | undefined;
}

export class RedriveHandler {
  private readonly stage: RedriveStage;
  private link: OutputRow['redrive'];
  /** Where the letter went in, and its time. */
  private at: Pick<PassedLink, 'node' | 'time' | 'answered'> = { node: '', time: 0 };

  constructor(stage: RedriveStage) {
    this.stage = stage;
  }

  /** The letter that is going in again right now: what fails of it is linked to it. */
  get current(): OutputRow['redrive'] {
    return this.link;
  }

  /** The same, as other stages are told of it. */
  get passed(): PassedLink | undefined {
    if (!this.link) return undefined;
    const { letter, first, attempts } = this.link;
    return { letter, first, attempts, ...this.at };
  }

  /** The same, as whoever keeps the accounts is told of it: how a letter ended is said once. */
  get told(): PassedLink | undefined {
    return this.at.answered ? undefined : this.passed;
  }

  /** Works on behalf of a letter that went in in a stage before; undefined: of none. */
  goingOn(passed: PassedLink | undefined, work: () => void): void {
    if (!passed) return work();
    const { letter, first, attempts, ...at } = passed;
    this.during({ letter, first, attempts }, at, work);
  }

  /** Works on behalf of a letter that went in earlier, the answer of whose look-up came only now; undefined: of none. */
  answered(redrive: RedriveLink | undefined, work: () => void): void {
    this.during(redrive, { node: '', time: 0, answered: true }, work);
  }

  private during(redrive: RedriveLink | undefined, at: RedriveHandler['at'], work: () => void): void {
    this.link = redrive;
    this.at = at;
    work();
    this.link = undefined;
  }

  /** What a redriven letter gives is handled like anything else, but moves no watermark: its time has passed. */
  handle(node: string, frame: RedriveFrame): void {
    // Of the partitions that all read this the first tells what is nobody's own.
    const isFirst = this.stage.part.partition === 0;
    if (isFirst) this.stage.ledger.countRedriven();
    const landing = landingOf(this.stage.topology, node, frame);
    if ('problem' in landing) {
      if (isFirst) this.refuseRedriven(node, frame, landing);
    } else if (landing.kind === 'source') this.decodedAgain(node, frame, landing);
    else this.land(node, frame, landing);
  }

  /** What could not be decoded goes the way of everything that the source brings. */
  private decodedAgain(node: string, frame: RedriveFrame, { events }: Landed): void {
    const letters = this.stage.part.partition === 0 ? frame.deadLetters : [];
    const counts = { events: events.length, letters: letters.length };
    this.inRedrive(node, frame, counts, (redrive) => {
      for (const still of letters) this.stage.deadLetter(decodeLetter(node, still, redrive), frame.time);
      if (events.length === 0) return;
      const causes = events.map((_, cause) => cause);
      this.stage.source(node).next({ kind: 'batch', events, times: frame.times, causes });
      this.stage.endWave();
    });
  }

  /** An event goes into an input of a node, here or in the partition where it belongs. */
  private land(node: string, frame: RedriveFrame, { input, events }: Landed): void {
    const [event] = events;
    if (!event) return;
    const home = redriveHome(this.stage.part, node, input, event);
    if (home.kind === 'on') {
      const { sequence, wave } = this.stage.place();
      const passed = { exchange: redriveExchange, sequence, wave, cause: -1, time: frame.time, acceptedAt: 0 };
      this.stage.exchange?.row(home.next.stage, home.next.partition, { ...passed, event: { node, frame } });
    }
    if (home.kind !== 'here') return;
    this.inRedrive(node, frame, { events: 1, letters: 0 }, () => {
      this.stage.runner(node)?.inject(input, { kind: 'batch', events: [event], times: frame.times, causes: [0] });
      this.stage.endWave();
    });
  }

  /** Of a later stage: a letter that one before has passed on. */
  handlePassed({ node, frame }: PassedRedrive): void {
    const landing = landingOf(this.stage.topology, node, frame);
    if ('problem' in landing) this.refuseRedriven(node, frame, landing);
    else this.land(node, frame, landing);
  }

  /** Counts what comes of a redriven letter, links what fails of it again, and says how it ended. */
  private inRedrive(
    node: string,
    { letter, first, attempts, origin, time }: RedriveFrame,
    { events, letters }: { events: number; letters: number },
    work: (redrive: RedriveLink) => void,
  ): void {
    const redrive = { letter, first, attempts, ...(origin && { origin }) };
    this.link = redrive;
    this.at = { node, time };
    this.stage.ledger.open(events, letters);
    work(redrive);
    const settled = this.stage.ledger.close();
    // In several partitions whoever keeps the accounts knows the whole of it.
    if (this.stage.part.plan.partitions === 1)
      this.stage.deadLetter(endingOf(node, redrive, outcomesOf(settled)), time);
    this.link = undefined;
  }

  /** It has nowhere to go in the topology of now: it becomes a letter again, as it was. */
  private refuseRedriven(node: string, frame: RedriveFrame, { kind, problem }: Refused): void {
    const { events, input, origin, raw = '', place = {}, time } = frame;
    const { code, message: reason } = executionErrors.make('MACH3210', { reason: problem });
    const [event = {}] = events;
    this.inRedrive(node, frame, { events: 0, letters: 1 }, (redrive) => {
      const letter = { event, time, code, reason };
      if (frame.raw !== undefined || kind === 'source') {
        this.stage.deadLetter(decodeLetter(node, { code, reason, raw, place }, redrive), time);
      } else if (origin) {
        this.stage.deadLetter(sinkLetter(node, { ...letter, ...origin }, redrive), time);
      } else this.stage.deadLetter(operatorLetter(node, { ...letter, input: input ?? undefined }, redrive), time);
    });
  }
}
