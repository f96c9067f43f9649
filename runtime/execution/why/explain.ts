/**
 * Why a row is there: the message that gave it is handled again with notes on, from a state before it; the notes lead back to the
 * messages that were sent. What is named is then tried: replayed alone, it has to give the same row.
 */
import type { BoundTopology } from '../../topology/bound.ts';
import type { PastMachine, PastMessage } from '../replay/past.ts';
import { givesRow } from './alone.ts';
import { type Collected, collectPlaces, inOrder, type NamedPlace, placeId, sourcesOf } from './collect.ts';
import { whyErrors } from './errors.ts';
import { whyLimits } from './limits.ts';
import type { DerivedLineage, Moment } from './lineage.ts';
import { type SourceMessage, sourceMessages } from './source-message.ts';
import { type FoundRow, type ResultRow, type Walk, type WalkOptions, walk } from './walk.ts';

export interface Explanation {
  readonly row: ResultRow;
  readonly lineage: DerivedLineage;
  /** All that was found to matter, as far as it was looked for. */
  readonly collected: Collected;
  /** The places named, in order; replayed alone from the state before `from` they give the row. */
  readonly places: readonly NamedPlace[];
  /** The messages that hold them, in order. */
  readonly messages: readonly PastMessage[];
  /** Sequence of the first message named. */
  readonly from: number;
  /** Null: it was not tried. */
  readonly verified: boolean | null;
  /** Not all that was collected is named: alone it did not give the row, as what came between mattered too. */
  readonly shortened: boolean;
  /** Checkpoint that the state came from; undefined: from the beginning of the log. */
  readonly restored: PastMachine['restored'];
  /** Messages at the beginning that the log no longer has, and that no checkpoint stands for. */
  readonly missing: number;
  readonly walk: Walk;
  message(sequence: number): Promise<PastMessage | undefined>;
}

export interface ExplainOptions extends WalkOptions {
  /** Default `whyLimits.messagesNamed`. */
  readonly messagesMax?: number;
  /** Default true. */
  readonly verify?: boolean;
}

/** Rejects with MACH3262 (aged out) or MACH3263 (the row does not come again). */
export async function explainRow(options: ExplainOptions, row: ResultRow): Promise<Explanation> {
  const { past } = options;
  const { sequence } = row;
  if (sequence < past.first) throw whyErrors.make('MACH3262', { sequence, first: past.first });
  const placesMax = options.messagesMax ?? whyLimits.messagesNamed;
  for (const [attempt, length] of whyLimits.walkMessages.entries()) {
    const walked = await walk(options, Math.max(past.first, sequence - length), [row]);
    const found = walked.found.get(row);
    if (!found) return explainAlone(options, row, walked);
    const isLast = attempt === whyLimits.walkMessages.length - 1 || walked.start <= past.first;
    if (isLast || isFarEnough(collectPlaces(found.lineage, { topology: options.topology, placesMax })))
      return explainFound(options, { walk: walked, found });
  }
  throw new Error('invariant broken: there is no length of a walk');
}

/**
 * Several rows, by walks that they share; no further back than those go, so that less may be named of a row than alone. One that does
 * not come again rejects all, with MACH3263.
 */
export async function* explainRows(
  options: ExplainOptions,
  rows: readonly ResultRow[],
): AsyncGenerator<Explanation, void, void> {
  const { past } = options;
  const [length] = whyLimits.walkMessages;
  const waiting = [...rows].sort((a, b) => a.sequence - b.sequence);
  for (let first = waiting[0]; first; first = waiting[0]) {
    const until = first.sequence + 2 * length;
    const near = waiting.splice(0, waiting.findLastIndex(({ sequence }) => sequence < until) + 1);
    if (first.sequence < past.first) throw whyErrors.make('MACH3262', { sequence: first.sequence, first: past.first });
    const walked = await walk(options, Math.max(past.first, first.sequence - length), near);
    for (const row of near) {
      const found = walked.found.get(row);
      if (!found) throw notAgain(row, walked);
      yield explainFound(options, { walk: walked, found });
    }
  }
}

/**
 * What came before may have been handled by another version of the topology, as where a letter goes in again once what was wrong is mended: the row
 * may still come of its own message, from the newest checkpoint before it.
 */
async function explainAlone(options: ExplainOptions, row: ResultRow, before: Walk): Promise<Explanation> {
  if (before.start === row.sequence) throw notAgain(row, before);
  const walked = await walk(options, row.sequence, [row]);
  const found = walked.found.get(row);
  if (!found) throw notAgain(row, before);
  return explainFound(options, { walk: walked, found });
}

/** As far back as the result began, or as there are messages to name; and to one at least of those that it was made of. */
function isFarEnough({ beganEarlier, madeEarlier, older, beyond, places }: Collected): boolean {
  if (beganEarlier) return older;
  return !madeEarlier || beyond || places.some(({ role }) => role === 'cause');
}

function notAgain({ sequence }: ResultRow, { missing }: Walk): Error {
  return whyErrors.make('MACH3263', {
    sequence,
    missing: missing > 0 ? `; the log no longer has its first ${missing} messages` : '',
  });
}

/**
 * What is tried, the longest first: the part of what was collected (the newest of it), and whether time comes on in the same steps as it
 * did, or at once. An operator that joins two inputs may see them in another order when a long time passes at once.
 */
const attempts = [
  { part: 1, steps: false },
  { part: 1, steps: true },
  { part: 0.5, steps: true },
  { part: 0.25, steps: true },
  { part: 0, steps: true },
] as const;

async function explainFound(
  options: ExplainOptions,
  { walk: walked, found }: { walk: Walk; found: FoundRow },
): Promise<Explanation> {
  const { past, topology, messagesMax = whyLimits.messagesNamed, verify = true } = options;
  const { row, lineage } = found;
  const { restored, missing } = walked;
  const collected = collectPlaces(lineage, { topology, placesMax: messagesMax });
  const known = { row, lineage, collected, restored, missing, walk: walked, message: past.message };
  for (const { part, steps } of attempts) {
    const placesMax = Math.max(1, Math.ceil(messagesMax * part));
    const fewer = part === 1 ? collected : collectPlaces(lineage, { topology, placesMax });
    const named = await nameMessages(options, { found, collected: fewer, steps });
    if (!verify) return { ...known, ...named, verified: null, shortened: false };
    const before = await walked.machineBefore(named.from);
    if (givesRow({ topology, before: before.snapshot(), ...named, wanted: row }))
      return { ...known, ...named, verified: true, shortened: part < 1 };
  }
  // All of the row's own message: from the state before it nothing else can come out.
  const named = await nameMessages(options, { found, collected, steps: false });
  const own = await past.message(row.sequence);
  const messages = own ? [own] : [];
  const places = named.places.filter(({ sequence }) => sequence === row.sequence);
  // Another's answer may have let go what waited behind it.
  if (own && places.length === 0)
    places.push({ node: own.node, sequence: row.sequence, at: -1, role: 'cause', listed: true });
  const before = await walked.machineBefore(row.sequence);
  const verified = givesRow({ topology, before: before.snapshot(), messages, places: undefined, wanted: row });
  return { ...known, places, messages, from: row.sequence, verified, shortened: true };
}

/** The messages of the places, with those without which time would not have come so far; of a sent message all events. */
async function nameMessages(
  { past, topology }: ExplainOptions,
  { found, collected, steps }: { found: FoundRow; collected: Collected; steps: boolean },
): Promise<Pick<Explanation, 'places' | 'messages' | 'from'>> {
  const { row, lineage, progress, answers } = found;
  const { from } = collected;
  const places = new Map(collected.places.map((place) => [placeId(place), place]));
  const add = (place: NamedPlace) => void (places.has(placeId(place)) || places.set(placeId(place), place));
  const all = collectPlaces(lineage, { topology, placesMax: Number.POSITIVE_INFINITY, from });
  const parts = new Map(all.places.map((place) => [placeId(place), { ...place, listed: false }]));
  // The state is that before the first message: what is part of the result must come of it whole.
  for (const place of parts.values()) if (place.sequence === from) add(place);
  for (const moment of progress.movers(sourcesOf(topology, row.sink), { from, steps }))
    add(parts.get(placeId(moment)) ?? { ...moment, role: 'progress', listed: false });
  const messages = new Map<number, PastMessage>();
  const load = async () => {
    for (const sequence of new Set([...places.values()].map((place) => place.sequence))) {
      const message = messages.get(sequence) ?? (await past.message(sequence));
      if (message) messages.set(sequence, message);
    }
  };
  await load();
  for (const message of messages.values()) {
    const within = [...places.values()].filter((place) => place.sequence === message.sequence);
    for (const sent of sourceMessages(message, topology)) {
      const own = within.find((place) => isWithin(place, sent));
      for (let at = sent.from; own && at < sent.to; at++) add({ ...own, at });
    }
  }
  const addAnswer = (answer: Moment) => add({ ...answer, role: 'progress', listed: false });
  const asking = lookupsOf(topology).filter((id) => [...places.values()].some(({ node }) => node === id));
  for (const node of asking) answers.waiting(node, { from, until: row.sequence }).forEach(addAnswer);
  for (const place of [...places.values()]) answers.about(place).forEach(addAnswer);
  await load();
  const inTurn = [...messages.values()].sort((a, b) => a.sequence - b.sequence);
  return { places: [...places.values()].sort(inOrder), messages: inTurn, from: inTurn[0]?.sequence ?? row.sequence };
}

/** The nodes that ask outside. */
function lookupsOf({ operators }: BoundTopology): string[] {
  return operators.filter(({ bound }) => bound.lookup).map(({ id }) => id);
}

export function isWithin(place: Moment, sent: SourceMessage): boolean {
  return place.sequence === sent.sequence && place.at >= sent.from && place.at < sent.to;
}
