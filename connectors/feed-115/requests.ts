/** One request's items read: what becomes an event, what becomes a dead letter, and what the sender is told of it. */
import { type DeadLetter, limits, type SourceEvent } from '../../runtime/stream/index.ts';
import { feedErrors } from './errors.ts';
import { isProblem, readItem } from './items.ts';
import { feedLimits } from './limits.ts';
import type { Item, Refusal } from './wire.ts';

export interface ItemsRead {
  readonly events: SourceEvent[];
  readonly deadLetters: DeadLetter[];
  readonly refusals: Refusal[];
}

export interface ReadOptions {
  readonly centre: string;
  /** Who is at the other end of the connection, for dead letters. */
  readonly peer: string;
  /** Items before this index are passed over: they are stored already. */
  readonly from: number;
  /** Position of the item at index 0. */
  readonly firstPosition: number;
  /** The latest time that is believed. */
  readonly timeMax: number;
}

const centrePattern = /^[\p{L}\p{N}][\p{L}\p{N}._:-]*$/u;

/** The reason why a text is no name of a centre, or null. */
export function centreProblem(centre: string | undefined): string | null {
  if (!centre) return 'it is empty';
  if (centre.length > feedLimits.nameLengthMax) return `it has more than ${feedLimits.nameLengthMax} characters`;
  return centrePattern.test(centre) ? null : 'it has other characters than letters, digits and . _ : -';
}

const encoder = new TextEncoder();

function makeDeadLetter(item: Item, code: string, reason: string, place: DeadLetter['place']): DeadLetter {
  return { code, reason, raw: encoder.encode(JSON.stringify(item)).subarray(0, limits.deadLetterBytesMax), place };
}

export function readItems(items: readonly Item[], options: ReadOptions): ItemsRead {
  const { centre, peer, from, firstPosition } = options;
  const read: ItemsRead = { events: [], deadLetters: [], refusals: [] };
  for (let i = from; i < items.length; i++) {
    const item = items[i] as Item;
    const result = readItem(item, options);
    if (!isProblem(result)) {
      read.events.push(result);
      continue;
    }
    const position = firstPosition + i;
    const { code, reason } = result;
    read.deadLetters.push(makeDeadLetter(item, code, reason, { centre, peer, position }));
    if (read.refusals.length < feedLimits.refusalsToldMax) read.refusals.push({ position, code, reason });
  }
  return read;
}

export function tooManyItems(items: readonly Item[]) {
  return feedErrors.make('MACH2104', { items: items.length, items_max: feedLimits.itemsPerRequestMax });
}
