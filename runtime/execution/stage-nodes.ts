/** The nodes of a stage, wired: what runs them, and the frames that flow between them. */
import { type Observable, Subject } from 'rxjs';
import { type Batch, end, type Frame } from '../stream/frame.ts';
import { subscribeFrames } from '../stream/frame-subscriber.ts';
import { FusedRunner } from '../stream/fused-runner.ts';
import { type Ledger, type Outcomes, outcome, untold } from '../stream/ledger.ts';
import type { NodeRunner } from '../stream/node-runner.ts';
import type { StatelessFunction } from '../stream/operator-definition.ts';
import { OperatorRunner } from '../stream/operator-runner.ts';
import type { Event, Schema } from '../stream/schema.ts';
import type { BoundOperatorNode, BoundSinkNode, BoundTopology, NodePort } from '../topology/bound.ts';
import type { SpreadEdge, SpreadNode } from '../topology/spread.ts';
import { operatorLetter } from './dead-letter.ts';
import { fuseChains, isFusible, isReadAsColumns } from './fuse.ts';
import { keptFrames } from './kept-frames.ts';
import type { LargeRows } from './large-rows.ts';
import type { RedriveLink } from './log-frame.ts';
import { answersInput, type LookupQuestion, lookupOperator } from './lookup.ts';
import { OrderedEdge } from './ordered-edge.ts';
import type { RedriveHandler } from './redrive-handler.ts';
import { comesBy, isFed, isShadow, type StagePart } from './stage-part.ts';

/** The stage around them. */
export interface StageOfNodes {
  readonly topology: BoundTopology;
  readonly part: StagePart;
  readonly ledger: Ledger;
  readonly largeRows: LargeRows;
  readonly redrives: RedriveHandler;
  /** The frames of a source that this stage reads. */
  source(node: string): Observable<Frame> | undefined;
  /** Those that an earlier stage has passed on. */
  exchange(exchange: string): Observable<Frame>;
  question(question: LookupQuestion): void;
  nameOfQuestion(node: string, asked: { readonly event: Event; readonly schema: Schema | undefined }): string;
  /** Rows for a sink. */
  rows(sink: string, batch: Batch): void;
  deadLetter(letter: Event, time: number): void;
}

/** On behalf of which letter something is left; undefined: of none. */
export interface Left {
  readonly redrive: RedriveLink | undefined;
}

interface Lookup {
  readonly answers: Subject<Frame>;
  readonly runner: OperatorRunner;
  left: Left | undefined;
}

export class StageNodes {
  readonly runners = new Map<string, NodeRunner>();
  private readonly stage: StageOfNodes;
  /** What waits for the end of a wave, in topological order. */
  private readonly merging: { flush(): void }[] = [];
  private readonly lookups = new Map<string, Lookup>();

  constructor(stage: StageOfNodes) {
    this.stage = stage;
    const { topology, part } = stage;
    for (const chain of fuseChains(topology, part.plan, part.stage)) this.addChain(chain);
    for (const node of topology.sinks) if (this.spreadNode(node.id).stage === part.stage) this.addSink(node);
  }

  /** Nodes with several inputs handle what came. */
  endWave(): void {
    for (const runner of this.merging) runner.flush();
  }

  /** Answers to what a look-up has asked. */
  answer(node: string, answers: Frame): void {
    this.lookups.get(node)?.answers.next(answers);
  }

  /** On whose behalf a look-up has something left for a wave of its own; undefined where there is nothing. */
  leftOf(node: string): Left | undefined {
    return this.lookups.get(node)?.left;
  }

  nextWave(node: string): void {
    const lookup = this.lookups.get(node);
    if (!lookup) return;
    lookup.left = undefined;
    lookup.runner.nextWave();
  }

  private addChain(chain: readonly BoundOperatorNode[]): void {
    const [first] = chain as [BoundOperatorNode];
    if (!isFusible(first)) {
      this.addOperator(first);
      return;
    }
    const steps = chain.map(({ id, bound }) => ({ node: id, transform: bound.stateless as StatelessFunction }));
    const givesColumns = isReadAsColumns(this.stage.topology, (chain.at(-1) as BoundOperatorNode).id);
    const fused = new FusedRunner(steps, this.outcomesOf(first.id), { givesColumns });
    fused.connect(this.framesInto(first.id, this.spreadNode(first.id).edges[0] as SpreadEdge));
    for (const view of fused.views) this.runners.set(view.node, view);
  }

  private addOperator(node: BoundOperatorNode): void {
    const { lookup } = node.bound;
    const { redrives, question, nameOfQuestion, deadLetter } = this.stage;
    const { edges } = this.spreadNode(node.id);
    const bound = lookup
      ? lookupOperator(node.bound, lookup, {
          identity: (event) => nameOfQuestion(node.id, { event, schema: edges[0]?.schema }),
          ask: (id, event) => {
            if (!isShadow(this.stage.part, node.id)) question({ node: node.id, id, event, lookup });
          },
          redriving: () => redrives.current,
          leaves: (redrive) => {
            (this.lookups.get(node.id) as Lookup).left = { redrive };
          },
        })
      : node.bound;
    const inputs = edges.map((edge) => edge.input);
    if (lookup) inputs.push(answersInput);
    const runner = new OperatorRunner({
      node: node.id,
      bound,
      inputs,
      silent: this.silentInputs(node.id),
      ledger: this.outcomesOf(node.id),
      onDead: (letter) => {
        if (isShadow(this.stage.part, node.id)) return;
        // What had waited for an answer came by the input of the questions.
        const input = lookup?.input ?? letter.input;
        deadLetter(operatorLetter(node.id, { ...letter, input }, redrives.current), letter.time);
      },
    });
    for (const edge of edges) runner.connect(edge.input, this.framesInto(node.id, edge));
    if (lookup) {
      const answers = new Subject<Frame>();
      this.lookups.set(node.id, { answers, runner, left: undefined });
      runner.connect(answersInput, answers);
      // Answers carry no time of their own: they never hold the watermark.
      answers.next(end);
    }
    if (inputs.length > 1) this.merging.push(runner);
    this.runners.set(node.id, runner);
  }

  private addSink({ id }: BoundSinkNode): void {
    const { edges } = this.spreadNode(id);
    const ports = { out: edges[0]?.schema ?? { fields: {} } };
    const [edge] = edges;
    let runner: NodeRunner;
    if (edge && edges.length === 1) {
      const loop = new FusedRunner([{ node: id, transform: null }], this.stage.ledger);
      loop.connect(this.framesInto(id, edge, { isSink: true }));
      [runner] = loop.views as [NodeRunner];
    } else {
      const merging = new OperatorRunner({
        node: id,
        bound: { ports, stateless: (event) => event },
        inputs: edges.map(({ input }) => input),
        silent: this.silentInputs(id),
        ledger: this.stage.ledger,
      });
      for (const each of edges) merging.connect(each.input, this.framesInto(id, each, { isSink: true }));
      this.merging.push(merging);
      runner = merging;
    }
    this.runners.set(id, runner);
    subscribeFrames(runner.output('out'), (frame) => {
      if (frame.kind !== 'batch') return;
      this.stage.ledger.settleAll(frame.causes, outcome.delivered);
      this.stage.rows(id, frame);
    });
  }

  /** The frames of an edge, for whoever looks on. */
  output({ node, port }: NodePort): Observable<Frame> {
    const source = this.stage.source(node);
    if (source) return source;
    const runner = this.runners.get(node);
    if (!runner) throw new Error(`invariant broken: node ${node} is wired before it exists`);
    return runner.output(port);
  }

  /** The frames of an edge that this partition handles. */
  private framesInto(node: string, edge: SpreadEdge, { isSink = false } = {}): Observable<Frame> {
    const frames = this.framesOf(edge);
    if (!isSink && !(edge.crosses && edge.exchange === null)) return frames;
    return this.stage.largeRows.takenOut(frames, { node, ...edge });
  }

  private framesOf({ from, keep, exchange, order }: SpreadEdge): Observable<Frame> {
    if (order !== null) {
      const ordered = new OrderedEdge(order, this.output(from));
      this.merging.push(ordered);
      return ordered.frames;
    }
    const frames = exchange === null ? this.output(from) : this.stage.exchange(exchange);
    return keptFrames(frames, keep, this.stage.part);
  }

  private outcomesOf(node: string): Outcomes {
    return isShadow(this.stage.part, node) ? untold : this.stage.ledger;
  }

  /** By these nothing ever comes in this partition, though it does by others. */
  private silentInputs(id: string): ReadonlySet<string> {
    const { part } = this.stage;
    const silent = isFed(part, id) ? this.spreadNode(id).edges.filter((edge) => !comesBy(part, edge)) : [];
    return new Set(silent.map(({ input }) => input));
  }

  private spreadNode(id: string): SpreadNode {
    const node = this.stage.part.plan.nodes.get(id);
    if (!node) throw new Error(`invariant broken: the plan has no node ${id}`);
    return node;
  }
}
