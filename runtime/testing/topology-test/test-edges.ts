/** A topology whose sources a test sends through, whose sinks collect, and whose operators may die. */
import type { BoundOperator, LookupSpec, OperatorHandler } from '../../stream/operator-definition.ts';
import type { Event } from '../../stream/schema.ts';
import type { RunningSink, SinkRow } from '../../stream/sink-definition.ts';
import type { SourceContext } from '../../stream/source-definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';

export interface EdgeHooks {
  opened(source: string, context: SourceContext): void;
  /** Throws when the process dies in this node. */
  handling(node: string): void;
  write(sink: string, rows: readonly SinkRow[], token: string): ReturnType<RunningSink['write']>;
  /** What a look-up is answered. */
  answer(node: string, lookup: LookupSpec, event: Event, signal: AbortSignal): Promise<unknown>;
}

/** Look-ups end in the time of the test, by `answer`; the machine's time must not end them before. */
const endlessMs = Number.MAX_SAFE_INTEGER / 2;

export function withTestEdges(topology: BoundTopology, hooks: EdgeHooks): BoundTopology {
  return {
    ...topology,
    sources: topology.sources.map((node) => ({
      ...node,
      bound: {
        ports: node.bound.ports,
        async open(context) {
          hooks.opened(node.id, context);
          return { address: 'the test', close: async () => {} };
        },
      },
    })),
    operators: topology.operators.map((node) => ({
      ...node,
      bound: mortal(node.bound, node.id, hooks),
    })),
    sinks: topology.sinks.map((node) => ({
      ...node,
      bound: {
        async open() {
          return { write: (rows, token) => hooks.write(node.id, [...rows], token), close: async () => {} };
        },
      },
    })),
  };
}

function mortal(bound: BoundOperator, node: string, hooks: EdgeHooks): BoundOperator {
  const handling = () => hooks.handling(node);
  const { stateless, create, lookup } = bound;
  if (stateless) {
    return {
      ...bound,
      stateless(event) {
        handling();
        return stateless(event);
      },
    };
  }
  if (lookup) {
    return {
      ...bound,
      lookup: {
        ...lookup,
        timeoutMs: endlessMs,
        ask: (event, signal) => hooks.answer(node, lookup, event, signal),
        join(event, answer, failure) {
          handling();
          return lookup.join(event, answer, failure);
        },
      },
    };
  }
  if (!create) return bound;
  return { ...bound, create: (context) => mortalHandler(create.call(bound, context), handling) };
}

/** Forwards what the handler has, and no more: the engine leaves out what is absent. */
function mortalHandler(handler: OperatorHandler, handling: () => void): OperatorHandler {
  const { timer, resume, holdsFrom, awaits, watermark, end } = handler;
  return {
    event(...args) {
      handling();
      handler.event(...args);
    },
    ...(timer && { timer: (...args) => timer.apply(handler, args) }),
    ...(resume && { resume: () => resume.call(handler) }),
    ...(holdsFrom && { holdsFrom: () => holdsFrom.call(handler) }),
    ...(awaits && { awaits: () => awaits.call(handler) }),
    ...(watermark && { watermark: (...args) => watermark.apply(handler, args) }),
    ...(end && { end: (out) => end.call(handler, out) }),
  };
}
