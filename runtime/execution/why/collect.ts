/** The source messages that a result goes back to: from the result through states and edges, the newest first. */
import type { BoundOperator } from '../../stream/operator-definition.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { CellUse, DerivedLineage, Lineage, Moment, Reason, Touch } from './lineage.ts';
import { partsOf, tellingCells } from './parts.ts';

/** `cause`: an event in it is part of the result. `time`: it moved time on. `progress`: without it time would not have come so far. */
export type Role = 'cause' | 'time' | 'progress';

/** A place in a message of the input stream; `at` is -1 for a message without events, which is taken whole. */
export interface NamedPlace extends Moment {
  readonly role: Role;
  /** False: beside those that were asked for. */
  readonly listed: boolean;
}

export interface Collected {
  /** In order. */
  readonly places: readonly NamedPlace[];
  /** Sequence of the first. What came before stands in the state. */
  readonly from: number;
  /** Where what led to this result began: the first change of the state that gave it, since its key had no state; of a window its first event. */
  readonly began: Touch | undefined;
  /** The beginning lies before what was looked at. */
  readonly beganEarlier: boolean;
  /** Some of what the event that began it was made of may lie before what was looked at. */
  readonly madeEarlier: boolean;
  /** Places that were left out because there were too many, or because they lie before the beginning. */
  readonly older: boolean;
  /** There were too many. */
  readonly beyond: boolean;
}

interface Waiting {
  readonly sequence: number;
  readonly item: Lineage | Touch;
  /** Of a change of a state: the result that was made of the state. */
  readonly of: DerivedLineage | undefined;
}

interface CollectOptions {
  readonly topology: BoundTopology;
  readonly placesMax: number;
  /** Sequence before which nothing is wanted. */
  readonly from?: number;
  /** Places that take no room. */
  readonly known?: readonly NamedPlace[];
}

/** What a node looked at of its states that can matter to a single result. */
type CellsOf = (at: DerivedLineage) => readonly CellUse[];

/** The state that gave the result: of the last node with state on the way to it. */
function statefulEnd(result: Lineage | undefined, cellsOf: CellsOf): DerivedLineage | undefined {
  for (let at = result; at?.kind === 'derived'; ) {
    if (cellsOf(at).some(({ head, existed }) => head || existed)) return at;
    at = at.reason.kind === 'event' ? at.reason.from : undefined;
  }
  return undefined;
}

export function collectPlaces(
  result: DerivedLineage,
  { topology, placesMax, from = 0, known = [] }: CollectOptions,
): Collected {
  const operators = new Map(topology.operators.map(({ id, bound }) => [id, bound]));
  const cellsOf: CellsOf = (at) => tellingCells(at, operators.get(at.node));
  const end = statefulEnd(result, cellsOf);
  const cells = end ? cellsOf(end).filter(({ existed }) => existed) : [];
  const heads = cells.flatMap(({ head }) => (head ? [head] : []));
  const beganEarlier = cells.length > heads.length || heads.some(({ whole }) => !whole);
  const beginning = beganEarlier ? undefined : beginningOf(result, { heads, cellsOf });
  const floor = beginning?.floor ?? 0;

  const found = new Map(known.map((place) => [placeId(place), place]));
  const hasRoomFor = (moment: Moment) => found.size < placesMax || found.has(placeId(moment));
  const add = (moment: Moment, role: Role) => {
    const id = placeId(moment);
    if (!found.has(id) || role === 'cause') found.set(id, { ...moment, role, listed: true });
  };
  const visited = new Map<object, Set<DerivedLineage | undefined>>();
  const waiting: Waiting[] = [];
  const push = (item: Lineage | Touch | undefined, of?: DerivedLineage) => {
    if (!item || visited.get(item)?.has(of)) return;
    visited.set(item, (visited.get(item) ?? new Set()).add(of));
    waiting.push({ item, of, sequence: 'moment' in item ? item.moment.sequence : item.sequence });
  };
  const follow = (reason: Reason) => {
    if (reason.kind === 'event') push(reason.from);
    if (reason.kind === 'timer') push(reason.setBy);
  };
  /** The newest change of a state that is part of a result: it may hold what is part of other results alone. */
  const pushPart = (newest: Touch | undefined, of: DerivedLineage) => {
    const isPartOf = operators.get(of.node)?.isPartOf;
    if (!isPartOf) return push(newest);
    let touch = newest;
    for (; touch; touch = touch.previous) {
      const from = touch.reason.kind === 'event' ? touch.reason.from : undefined;
      if (touch.moment.sequence < floor || !from || isPartOf(of.event, from.event, from.time)) break;
    }
    push(touch, of);
  };
  for (const moment of timeMovers(result)) add(moment, 'time');
  push(result);
  let older = false;
  let beyond = false;
  for (let next = takeNewest(waiting); next; next = takeNewest(waiting)) {
    const { item, of, sequence } = next;
    const place = placeOf(item);
    beyond = place !== undefined && !hasRoomFor(place);
    older = beyond || sequence < Math.max(floor, from);
    if (older) break;
    if (place) add(place, 'cause');
    if ('kind' in item && item.kind === 'source') continue;
    if ('kind' in item) for (const answer of item.answers ?? []) add(answer, 'cause');
    if ('kind' in item) for (const { head } of cellsOf(item)) pushPart(head, item);
    else if (of) pushPart(item.previous, of);
    else push(item.previous);
    follow(item.reason);
  }
  const places = [...found.values()].sort(inOrder);
  return {
    places,
    from: places[0]?.sequence ?? result.moment.sequence,
    began: end && earliest(heads.map((head) => oldestPart(end, head, operators.get(end.node)))),
    beganEarlier,
    madeEarlier: beginning?.isOpen ?? false,
    older,
    beyond,
  };
}

/**
 * Where it began in the log: the first change of the states that gave the result. An event that time made, as a picture or the row of a window is, stands
 * there in the message that moved time on; what it was made of had come before, and counts from its own beginning.
 */
function beginningOf(
  result: DerivedLineage,
  { heads, cellsOf }: { heads: readonly Touch[]; cellsOf: CellsOf },
): { floor: number; isOpen: boolean } {
  const firsts = new Set<Touch>();
  let isOpen = false;
  const waiting = [...heads];
  const takeMaking = (event: Lineage | undefined) => {
    const made = madeByTime(event);
    for (const { head, existed } of made ? cellsOf(made) : []) {
      if (head) waiting.push(head);
      else isOpen ||= existed;
    }
  };
  takeMaking(result);
  for (let head = waiting.pop(); head; head = waiting.pop()) {
    const { first, whole } = head;
    isOpen ||= !whole;
    if (firsts.has(first)) continue;
    firsts.add(first);
    if (first.reason.kind === 'event') takeMaking(first.reason.from);
  }
  return { floor: isOpen ? 0 : (earliest([...firsts])?.moment.sequence ?? 0), isOpen };
}

/** On the way to an event, that which came of no event but of time. */
function madeByTime(event: Lineage | undefined): DerivedLineage | undefined {
  let at = event;
  while (at?.kind === 'derived' && at.reason.kind === 'event') at = at.reason.from;
  return at?.kind === 'derived' ? at : undefined;
}

function earliest(changes: readonly Touch[]): Touch | undefined {
  return [...changes].sort((a, b) => a.moment.sequence - b.moment.sequence)[0];
}

function oldestPart(result: DerivedLineage, newest: Touch, operator: BoundOperator | undefined): Touch {
  return [...partsOf(result, newest, operator)].at(-1) ?? newest.first;
}

/** Where it came in: an event of a source, or one that had waited since before the walk. */
function placeOf(item: Lineage | Touch): Moment | undefined {
  if ('kind' in item && item.kind === 'source') return { node: item.node, sequence: item.sequence, at: item.at };
  const { reason, moment } = item;
  return reason.kind === 'event' && !reason.from ? moment : undefined;
}

/** The messages that moved time on the way from the result back to the first event that was handled as such. */
function timeMovers(result: DerivedLineage): Moment[] {
  const movers: Moment[] = [];
  for (let at: Lineage | undefined = result; at?.kind === 'derived'; ) {
    if (at.reason.kind !== 'event') movers.push(at.moment);
    at = at.reason.kind === 'event' ? at.reason.from : undefined;
  }
  return movers;
}

function takeNewest(waiting: Waiting[]): Waiting | undefined {
  let newest = -1;
  for (let at = 0; at < waiting.length; at++) {
    if (newest < 0 || (waiting[at] as Waiting).sequence > (waiting[newest] as Waiting).sequence) newest = at;
  }
  return newest < 0 ? undefined : waiting.splice(newest, 1)[0];
}

export function placeId({ sequence, at }: Moment): string {
  return `${sequence}/${at}`;
}

export function inOrder(a: Moment, b: Moment): number {
  return a.sequence - b.sequence || a.at - b.at;
}

/** The sources that a node reads, through whatever lies between. */
export function sourcesOf(topology: BoundTopology, node: string): Set<string> {
  const inputs = new Map([...topology.operators, ...topology.sinks].map((one) => [one.id, one.inputs]));
  const sources = new Set<string>();
  const seen = new Set<string>();
  const visit = (id: string) => {
    if (seen.has(id)) return;
    seen.add(id);
    const edges = inputs.get(id);
    if (!edges) sources.add(id);
    else for (const { from } of edges) visit(from.node);
  };
  visit(node);
  return sources;
}
