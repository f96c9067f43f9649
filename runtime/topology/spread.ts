/**
 * How a topology is spread over partitions. Every partition's first stage reads the whole input log and keeps the keys that are its own,
 * so watermarks and positions of senders are the same in each. An operator that needs other keys than those before it stands in a
 * later stage, to which rows are exchanged through the log. With one partition everything is in one stage.
 */
import type { Spread } from '../stream/operator-definition.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundEdge, BoundOperatorNode, BoundSinkNode, BoundTopology, NodePort } from './bound.ts';
import { edgeToken } from './names.ts';

/** Where the events of an edge are. */
export type Whereabouts =
  /** Every partition has all of them. */
  | { readonly kind: 'everywhere' }
  /** Each is in the partition of the hash of these fields. */
  | { readonly kind: 'by'; readonly fields: readonly string[] }
  /** All are in the first partition. */
  | { readonly kind: 'one' }
  /** Each is in one partition; which cannot be told from its fields. */
  | { readonly kind: 'somewhere' };

/** Which events of an edge a partition handles: all that are there, those whose key is its own, or all of them in the first partition alone. */
export type Keep =
  | { readonly kind: 'all' }
  | { readonly kind: 'by'; readonly fields: readonly string[] }
  | { readonly kind: 'first' };

/** Where an exchanged row goes: by a hash of fields, to the first partition, or to the one of the same number. */
export type Route =
  | { readonly kind: 'by'; readonly fields: readonly string[] }
  | { readonly kind: 'one' }
  | { readonly kind: 'same' };

/**
 * The order of rows that lanes of several partitions bring at once, where it does not follow from the source events: by event time, then
 * by these fields (`text`: by all of them). One partition keeps it as well, so that the number of partitions changes nothing.
 */
export type RowOrder = { readonly kind: 'fields'; readonly fields: readonly string[] } | { readonly kind: 'text' };

export interface Exchange {
  /** `now>2.hospital`: edge, stage that reads it, fields of its route. */
  readonly id: string;
  readonly from: NodePort;
  readonly fromStage: number;
  readonly toStage: number;
  readonly whereabouts: Whereabouts;
  readonly route: Route;
  /** Null: one lane brings them, in order. */
  readonly order: RowOrder | null;
  readonly schema: Schema;
}

export interface SpreadEdge {
  readonly input: string;
  readonly from: NodePort;
  readonly schema: Schema;
  readonly keep: Keep;
  /** Id of the exchange that it comes through. */
  readonly exchange: string | null;
  /** With one partition: the order that an exchange would give. */
  readonly order: RowOrder | null;
  /** Its rows go through the log where there are several partitions: none may be larger than a message, at one partition either. */
  readonly crosses: boolean;
}

export interface SpreadNode {
  readonly id: string;
  readonly stage: number;
  readonly edges: readonly SpreadEdge[];
  readonly out: Whereabouts;
}

export interface SpreadPlan {
  readonly partitions: number;
  /** Number of stages. */
  readonly stages: number;
  readonly nodes: ReadonlyMap<string, SpreadNode>;
  readonly exchanges: readonly Exchange[];
}

const everywhere: Whereabouts = { kind: 'everywhere' };
const one: Whereabouts = { kind: 'one' };
const somewhere: Whereabouts = { kind: 'somewhere' };
const keepAll: Keep = { kind: 'all' };

/** The partitions in which a stage has work: one where everything in it must meet. */
export function partitionsOfStage(plan: SpreadPlan, stage: number): number {
  if (stage === 1) return plan.partitions;
  const into = plan.exchanges.filter(({ toStage }) => toStage === stage);
  return into.every(({ route }) => route.kind === 'one') ? 1 : plan.partitions;
}

/** The partitions that write to a sink: what every partition has is written by the first alone. */
export function writersOf(plan: SpreadPlan, sink: string): readonly number[] {
  const node = plan.nodes.get(sink);
  if (!node) return [];
  const isSpread = node.edges.some(({ keep, exchange }) => exchange !== null || keep.kind !== 'first');
  return Array.from({ length: isSpread ? partitionsOfStage(plan, node.stage) : 1 }, (_, partition) => partition);
}

export function spreadTopology(topology: BoundTopology, partitions: number): SpreadPlan {
  if (partitions === 1) return inOnePartition(topology);
  const nodes = new Map<string, SpreadNode>();
  const exchanges = new Map<string, Exchange>();
  const wants = wantsOf(topology);
  const sources = new Set(topology.sources.map(({ id }) => id));
  const placeOf = ({ node, port }: NodePort, schema: Schema): Place => {
    if (sources.has(node)) return { stage: 1, where: everywhere };
    const { stage, out } = nodes.get(node) as SpreadNode;
    // What leaves by another port than the main one may lack the fields.
    if (out.kind === 'by' && port !== 'out' && !out.fields.every((name) => Object.hasOwn(schema.fields, name)))
      return { stage, where: somewhere };
    return { stage, where: out };
  };
  const settle = (node: BoundOperatorNode | BoundSinkNode, spread: Spread | 'sink') => {
    const inputs = node.inputs.map((edge) => ({ edge, place: placeOf(edge.from, edge.schema) }));
    const placed = placeNode(inputs, spread, wants.get(node.id) ?? []);
    const edges = inputs.map(({ edge, place }): SpreadEdge => {
      const route = placed.routes.get(edge.input) as Route | Keep;
      if (place.stage === placed.stage && !placed.exchanged.has(edge.input)) {
        return { ...edge, keep: route as Keep, exchange: null, order: null, crosses: false };
      }
      const exchange = exchangeOf(edge, place, placed.stage, route as Route);
      exchanges.set(exchange.id, exchange);
      return { ...edge, keep: keepAll, exchange: exchange.id, order: null, crosses: true };
    });
    nodes.set(node.id, { id: node.id, stage: placed.stage, edges, out: placed.out });
  };
  for (const node of topology.operators) settle(node, spreadOf(node));
  for (const node of topology.sinks) settle(node, 'sink');
  const stages = Math.max(1, ...[...nodes.values()].map(({ stage }) => stage));
  return { partitions, stages, nodes, exchanges: [...exchanges.values()] };
}

function inOnePartition(topology: BoundTopology): SpreadPlan {
  const nodes = new Map<string, SpreadNode>();
  const two = spreadTopology(topology, 2);
  for (const { id, inputs } of [...topology.operators, ...topology.sinks]) {
    const edges = inputs.map((edge, index) => {
      const exchange = two.nodes.get(id)?.edges[index]?.exchange ?? null;
      const order = two.exchanges.find((one) => one.id === exchange)?.order ?? null;
      return { ...edge, keep: keepAll, exchange: null, order, crosses: exchange !== null };
    });
    nodes.set(id, { id, stage: 1, edges, out: everywhere });
  }
  return { partitions: 1, stages: 1, nodes, exchanges: [] };
}

export function spreadOf({ bound }: BoundOperatorNode): Spread {
  // A look-up keeps the order of what waits, holds time back for it, and has a bound for it: what it gives must not hang on who waits beside whom.
  if (bound.lookup) return { kind: 'all' };
  return bound.spread ?? (bound.stateless ? { kind: 'each', unchanged: [] } : { kind: 'all' });
}

interface Place {
  readonly stage: number;
  readonly where: Whereabouts;
}

interface Input {
  readonly edge: BoundEdge;
  readonly place: Place;
}

interface Placed {
  readonly stage: number;
  readonly out: Whereabouts;
  /** Input to what is kept of it, or to its route where it is exchanged. */
  readonly routes: ReadonlyMap<string, Keep | Route>;
  readonly exchanged: ReadonlySet<string>;
}

function placeNode(inputs: readonly Input[], spread: Spread | 'sink', wanted: readonly (readonly string[])[]): Placed {
  if (spread === 'sink') return placeTogether(inputs, null);
  if (spread.kind === 'each') return placeTogether(inputs, spread.unchanged);
  if (spread.kind === 'all') return placeAll(inputs);
  return placeByKey(inputs, spread, wanted);
}

/** Each event for itself: it is handled where it is. `unchanged` is null for a sink. */
function placeTogether(inputs: readonly Input[], unchanged: readonly string[] | null): Placed {
  const stage = Math.max(...inputs.map(({ place }) => place.stage));
  const kinds = new Set(inputs.map(({ place }) => JSON.stringify(place.where)));
  const [first] = inputs as [Input, ...Input[]];
  const same = kinds.size === 1;
  const where = same ? first.place.where : somewhere;
  const exchanged = new Set<string>();
  const routes = new Map<string, Keep | Route>();
  for (const { edge, place } of inputs) {
    const lower = place.stage < stage;
    const isWhole = place.where.kind === 'everywhere';
    if (lower) {
      exchanged.add(edge.input);
      routes.set(edge.input, { kind: isWhole ? 'one' : 'same' });
    } else {
      // What every partition has counts in one of them alone, unless its result is everywhere too.
      const onlyOnce = isWhole && (unchanged === null || !same);
      routes.set(edge.input, onlyOnce ? { kind: 'first' } : keepAll);
    }
  }
  const wholeExchanged = where.kind === 'everywhere' && exchanged.size > 0;
  const keptFields = where.kind === 'by' && where.fields.every((name) => unchanged?.includes(name));
  const out = wholeExchanged ? one : where.kind === 'by' && !keptFields ? somewhere : where;
  return { stage, out, routes, exchanged };
}

function placeAll(inputs: readonly Input[]): Placed {
  const routes = new Map<string, Keep | Route>();
  const exchanged = new Set<string>();
  if (inputs.every(({ place }) => place.where.kind === 'everywhere')) {
    for (const { edge } of inputs) routes.set(edge.input, keepAll);
    return { stage: 1, out: everywhere, routes, exchanged };
  }
  const stage = Math.max(...inputs.map(({ place }) => place.stage + (place.where.kind === 'one' ? 0 : 1)));
  // An edge that is everywhere needs no exchange for itself, but its partner does: they meet behind it.
  for (const { edge, place } of inputs) {
    const stays = place.stage === stage && place.where.kind === 'one';
    if (!stays) exchanged.add(edge.input);
    routes.set(edge.input, stays ? keepAll : { kind: 'one' });
  }
  return { stage, out: one, routes, exchanged };
}

function placeByKey(
  inputs: readonly Input[],
  { fields, out }: Extract<Spread, { kind: 'key' }>,
  wanted: readonly (readonly string[])[],
): Placed {
  const positionsOf = (names: readonly string[], key: readonly string[]) => names.map((name) => key.indexOf(name));
  const keyOf = ({ edge }: Input) => fields[edge.input] ?? out;
  const partitioned = inputs.find(
    ({ place, edge }) => place.where.kind === 'by' && isSubset(place.where.fields, keyOf({ place, edge })),
  );
  const positions =
    partitioned?.place.where.kind === 'by'
      ? positionsOf(partitioned.place.where.fields, keyOf(partitioned))
      : positionsOf(wanted.find((names) => names.length > 0 && isSubset(names, out)) ?? out, out);
  const chosen = (input: Input) => positions.map((at) => keyOf(input)[at] as string);
  const fits = (input: Input) => {
    const { where } = input.place;
    return where.kind === 'everywhere' || (where.kind === 'by' && sameList(where.fields, chosen(input)));
  };
  const stage = Math.max(...inputs.map((input) => input.place.stage + (fits(input) ? 0 : 1)));
  const routes = new Map<string, Keep | Route>();
  const exchanged = new Set<string>();
  for (const input of inputs) {
    const { place, edge } = input;
    const stays = place.stage === stage && fits(input);
    if (!stays) exchanged.add(edge.input);
    const by = { kind: 'by', fields: chosen(input) } as const;
    routes.set(edge.input, stays && place.where.kind === 'by' ? keepAll : by);
  }
  return { stage, out: { kind: 'by', fields: positions.map((at) => out[at] as string) }, routes, exchanged };
}

function exchangeOf(edge: BoundEdge, place: Place, toStage: number, route: Route): Exchange {
  const goal = route.kind === 'by' ? route.fields.join('+') : route.kind;
  return {
    id: `${edgeToken(edge.from)}>${toStage}.${goal}`,
    from: edge.from,
    fromStage: place.stage,
    toStage,
    whereabouts: place.where,
    route,
    order: orderOf(place.where),
    schema: edge.schema,
  };
}

function orderOf(where: Whereabouts): RowOrder | null {
  if (where.kind === 'by') return { kind: 'fields', fields: where.fields };
  return where.kind === 'somewhere' ? { kind: 'text' } : null;
}

/**
 * For each operator, the fields of its output by which those behind it would like it to be spread: so that `dedupe` by hospital and
 * message stands with a census by hospital.
 */
function wantsOf(topology: BoundTopology): Map<string, (readonly string[])[]> {
  const wants = new Map<string, (readonly string[])[]>();
  for (const node of [...topology.operators].reverse()) {
    const own = wants.get(node.id) ?? [];
    const spread = spreadOf(node);
    for (const { input, from } of node.inputs) {
      const passed = wants.get(from.node) ?? [];
      if (spread.kind === 'each') passed.push(...own.filter((names) => isSubset(names, spread.unchanged)));
      if (spread.kind === 'key') {
        const key = spread.fields[input] ?? spread.out;
        for (const names of own) {
          if (isSubset(names, spread.out)) passed.push(names.map((name) => key[spread.out.indexOf(name)] as string));
        }
        passed.push(key);
      }
      wants.set(from.node, passed);
    }
  }
  return wants;
}

function isSubset(names: readonly string[], of: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => of.includes(name));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}
