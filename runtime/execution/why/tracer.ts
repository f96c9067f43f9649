/**
 * A topology that says where each of its events comes from. The operators are those of the topology itself; only what they are given
 * (their state, their timers, their output) takes notes. So the engine that runs it need not know, and pays nothing.
 */
import type { HeldKeys } from '../../stream/held-keys.ts';
import type {
  BoundOperator,
  LookupSpec,
  OperatorContext,
  OperatorHandler,
  Output,
  StatelessFunction,
} from '../../stream/operator-definition.ts';
import type { KeyedState, RowState, RowStateOptions, StateKey, StateOptions } from '../../stream/operator-state.ts';
import type { Event } from '../../stream/schema.ts';
import type { BoundEdge, BoundOperatorNode, BoundTopology, NodePort } from '../../topology/bound.ts';
import type { PastMessage } from '../replay/past.ts';
import { AnswerNotes } from './answer-notes.ts';
import type { Lineage, Moment } from './lineage.ts';
import { NodeNotes } from './node-notes.ts';

export class Tracer {
  /** To be run by a machine. */
  readonly topology: BoundTopology;
  /** The message being handled, and the last of its events that has gone in. */
  moment: Moment = { node: '', sequence: 0, at: -1 };
  /** Of the message being handled, by edge. */
  private readonly lineages = new Map<string, Map<Event, Lineage>>();
  /** Of events that wait in a state. */
  private readonly waiting = new Map<string, WeakMap<Event, Lineage>>();
  /** Nodes whose events all wait, unseen from here: those that ask outside. */
  private readonly asking: ReadonlySet<string>;
  readonly answers = new AnswerNotes();

  constructor(topology: BoundTopology) {
    const asking = topology.operators.filter(({ bound }) => bound.lookup);
    this.asking = new Set(asking.flatMap(({ inputs }) => inputs.map(({ from }) => edgeId(from))));
    const operators = topology.operators.map((node) => ({ ...node, bound: this.boundOf(node) }));
    this.topology = { ...topology, operators };
  }

  /** Called before a machine handles a message. */
  begin({ sequence, node, frame }: PastMessage): void {
    this.moment = { node, sequence, at: -1 };
    for (const known of this.lineages.values()) known.clear();
    if (frame.kind === 'answers') this.answers.note(frame, this.moment);
    if (frame.kind !== 'source' && frame.kind !== 'redrive') return;
    const edge = frame.kind === 'redrive' ? this.edgeInto(node, frame.input) : undefined;
    frame.events.forEach((event, at) => {
      const time = frame.times[at] as number;
      const lineage = { kind: 'source', node, sequence, at, event, time, ...(edge && { edge }) } as const;
      this.remember(edge ?? { node, port: 'out' }, event, lineage);
    });
  }

  /** Where a redriven letter goes in; undefined for a source. */
  private edgeInto(node: string, input: string | null): NodePort | undefined {
    const nodes = [...this.topology.operators, ...this.topology.sinks];
    return nodes.find(({ id }) => id === node)?.inputs.find((edge) => edge.input === input)?.from;
  }

  remember(edge: NodePort, event: Event, lineage: Lineage): void {
    const id = edgeId(edge);
    let known = this.lineages.get(id);
    if (!known) {
      known = new Map();
      this.lineages.set(id, known);
    }
    known.set(event, lineage);
    if (this.asking.has(id)) this.keep(edge, event, lineage);
  }

  /** The event has gone into a state, and may come out of it in a later message. */
  keep(edge: NodePort, event: Event, lineage: Lineage): void {
    const id = edgeId(edge);
    let kept = this.waiting.get(id);
    if (!kept) {
      kept = new WeakMap();
      this.waiting.set(id, kept);
    }
    kept.set(event, lineage);
  }

  /** Where an event came from that entered by one of these edges. */
  take(edges: readonly BoundEdge[], event: Event): { input: string; from: Lineage | undefined } {
    for (const { input, from } of edges) {
      const id = edgeId(from);
      const lineage = this.lineages.get(id)?.get(event) ?? this.waiting.get(id)?.get(event);
      if (!lineage) continue;
      this.seen(lineage);
      return { input, from: lineage };
    }
    return { input: edges[0]?.input ?? '', from: undefined };
  }

  /** Whoever reads a source sees its events in order: the last one seen is the one that can have moved time. */
  private seen(lineage: Lineage): void {
    const { sequence, at } = this.moment;
    if (lineage.kind !== 'source' || lineage.sequence !== sequence || lineage.at <= at) return;
    this.moment = { ...this.moment, at: lineage.at };
  }

  private boundOf(node: BoundOperatorNode): BoundOperator {
    const { bound } = node;
    if (bound.lookup) return { ...bound, lookup: this.lookupOf(node, bound.lookup) };
    if (bound.stateless) return { ...bound, stateless: this.functionOf(node, bound.stateless) };
    const create = bound.create?.bind(bound);
    return create ? { ...bound, create: (context) => this.handlerOf(node, context, create) } : bound;
  }

  private functionOf(node: BoundOperatorNode, transform: StatelessFunction): StatelessFunction {
    return (event) => {
      const { input, from } = this.take(node.inputs, event);
      const result = transform(event);
      if (result !== null) this.passed(node.id, { event: result, input, from });
      return result;
    };
  }

  private lookupOf(node: BoundOperatorNode, lookup: LookupSpec): LookupSpec {
    return {
      ...lookup,
      join: (event, answer, failure) => {
        const { input, from } = this.take(node.inputs, event);
        const result = lookup.join(event, answer, failure);
        if ('event' in result)
          this.passed(node.id, { event: result.event, input, from, answers: this.answers.to(node, from) });
        return result;
      },
    };
  }

  private passed(
    node: string,
    args: { event: Event; input: string; from: Lineage | undefined; answers?: readonly Moment[] },
  ): void {
    const { event, input, from, answers } = args;
    this.remember({ node, port: 'out' }, event, {
      kind: 'derived',
      node,
      port: 'out',
      event,
      time: from?.time ?? 0,
      moment: this.moment,
      reason: { kind: 'event', input, from },
      cells: [],
      ...(answers && { answers }),
    });
  }

  private handlerOf(
    node: BoundOperatorNode,
    context: OperatorContext,
    create: (context: OperatorContext) => OperatorHandler,
  ): OperatorHandler {
    const notes = new NodeNotes(this, node);
    const handler = create({
      node: context.node,
      watermark: () => context.watermark(),
      timers: {
        set: (key, name, time) => {
          notes.timerSet(key, name, time);
          context.timers.set(key, name, time);
        },
        clear: (key, name) => {
          notes.timerCleared(key, name);
          context.timers.clear(key, name);
        },
      },
      keyedState: <V>(name: string, options?: StateOptions<V>) =>
        watchedState(context.keyedState<V>(name, options), { name, keys: options?.keys, notes }),
      rowState: <V>(name: string, options: RowStateOptions<V>) =>
        watchedRows(context.rowState(name, options), { name, keys: options.keys, notes }),
      ownState: (name, state) => {
        context.ownState(name, state);
        return (key) => notes.wrote(name, key, () => state.has(key));
      },
    });
    return watchedHandler(node, { handler, notes, tracer: this });
  }
}

function edgeId({ node, port }: NodePort): string {
  return `${node}:${port}`;
}

interface Watched {
  readonly name: string;
  readonly keys: HeldKeys | undefined;
  readonly notes: NodeNotes;
}

function watchedState<V>(state: KeyedState<V>, { name, keys, notes }: Watched): KeyedState<V> {
  const looked = (key: StateKey) => notes.looked(name, keys ? keys.written(key) : key, () => state.has(key));
  const wrote = (key: StateKey) => notes.wrote(name, keys ? keys.written(key) : key, () => state.has(key));
  return {
    get(key: StateKey) {
      looked(key);
      return state.get(key);
    },
    entry(key: StateKey) {
      looked(key);
      return state.entry(key);
    },
    has(key: StateKey) {
      looked(key);
      return state.has(key);
    },
    set(key: StateKey, value: V, time: number) {
      wrote(key);
      state.set(key, value, time);
    },
    delete(key: StateKey) {
      wrote(key);
      return state.delete(key);
    },
    *entries() {
      for (const entry of state.entries()) {
        looked(entry[0]);
        yield entry;
      }
    },
    clear() {
      for (const [key] of state.entries()) wrote(key);
      state.clear();
    },
    get size() {
      return state.size;
    },
  };
}

function watchedRows(state: RowState, { name, keys, notes }: Watched): RowState {
  const isKept = (key: StateKey) => () => state.slotOf(key) >= 0;
  return {
    get size() {
      return state.size;
    },
    get rows() {
      return state.rows;
    },
    slotOf(key) {
      notes.looked(name, keys ? keys.written(key) : key, isKept(key));
      return state.slotOf(key);
    },
    add(key, time) {
      notes.wrote(name, keys ? keys.written(key) : key, isKept(key));
      return state.add(key, time);
    },
    keyAt(slot) {
      const key = state.keyAt(slot);
      notes.looked(name, keys ? keys.written(key) : key, isKept(key));
      return key;
    },
  };
}

function watchedHandler(
  node: BoundOperatorNode,
  { handler, notes, tracer }: { handler: OperatorHandler; notes: NodeNotes; tracer: Tracer },
): OperatorHandler {
  const { timer, watermark, end, resume, holdsFrom, awaits } = handler;
  const edges = new Map(node.inputs.map((edge) => [edge.input, [edge]]));
  return {
    event(event, time, out, input) {
      const { from } = tracer.take(edges.get(input) ?? [], event);
      notes.run(
        { kind: 'event', input, from },
        out,
        (watched: Output) => handler.event(event, time, watched, input),
        time,
      );
    },
    ...(timer && {
      timer(key: StateKey, name: string, time: number, out: Output) {
        const setBy = notes.timerFired(key, name);
        const reason = { kind: 'timer', key, name, time, setBy } as const;
        notes.run(reason, out, (watched) => timer.call(handler, key, name, time, watched), time);
      },
    }),
    ...(watermark && {
      watermark(time: number, out: Output) {
        notes.run({ kind: 'time', time }, out, (watched) => watermark.call(handler, time, watched), time);
      },
    }),
    ...(end && {
      end(out: Output) {
        const time = Number.POSITIVE_INFINITY;
        notes.run({ kind: 'time', time }, out, (watched) => end.call(handler, watched), time);
      },
    }),
    ...(resume && { resume: () => resume.call(handler) }),
    ...(holdsFrom && { holdsFrom: () => holdsFrom.call(handler) }),
    ...(awaits && { awaits: () => awaits.call(handler) }),
  };
}
