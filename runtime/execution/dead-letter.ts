/**
 * Dead letters: one shape for what could not be decoded, handled or written. The stream of dead letters also says of each that
 * was redriven what became of it (an ending), so that one stream tells the whole story.
 */
import { createHash } from 'node:crypto';
import { limits } from '../limits.ts';
import type { TurnedAway } from '../stream/operator-runner.ts';
import { defineSchema, type Event, field } from '../stream/schema.ts';
import { columnsOf, decodeOutputFrame, type OutputRow, type RedriveLink, type StoredDeadLetter } from './log-frame.ts';

export const deadLetterSchema = defineSchema({
  kind: field.string({ values: ['decode', 'operator', 'sink', 'ending'], repeated: true }),
  node: field.string({ repeated: true, description: 'source, operator or sink that gave up' }),
  input: field.string({ nullable: true, repeated: true, description: 'input of the node that it had come by' }),
  code: field.string({ repeated: true, description: 'error code, see `mach help CODE`' }),
  reason: field.string({ description: 'what was wrong' }),
  raw: field.string({ privacy: 'direct', description: 'what came, base64; of operators and sinks the event as JSON' }),
  place: field.json({ nullable: true, description: 'who sent it and where in it: connection, file, line' }),
  attempts: field.int({ description: 'how often it was tried' }),
  first: field.string({ nullable: true, description: 'id of the letter of the first attempt' }),
  previous: field.string({ nullable: true, description: 'id of the letter of the attempt before' }),
  stage: field.string({ nullable: true, repeated: true, description: 'stage of the row that a sink refused' }),
  partition: field.int({ nullable: true, description: 'partition of the row that a sink refused' }),
});

/** As engines wrote it before letters could be redriven. */
const firstSchema = defineSchema({
  node: field.string({ repeated: true }),
  code: field.string({ repeated: true }),
  reason: field.string(),
  raw: field.string(),
  place: field.json({ nullable: true }),
  attempts: field.int(),
});

export type DeadLetterKind = 'decode' | 'operator' | 'sink';

/** A letter, or an ending, as a row of the stream of dead letters. */
export interface DeadLetterRow {
  readonly kind: DeadLetterKind | 'ending';
  readonly node: string;
  readonly input: string | null;
  readonly code: string;
  readonly reason: string;
  /** Base64. */
  readonly raw: string;
  readonly place: unknown;
  readonly attempts: number;
  readonly first: string | null;
  readonly previous: string | null;
  readonly stage: string | null;
  readonly partition: number | null;
}

const nowhere = { input: null, first: null, previous: null, stage: null, partition: null };

/** How often it was tried, and what it was before, where the letter comes of one that was redriven. */
function historyOf(redrive: RedriveLink | undefined): Pick<DeadLetterRow, 'attempts' | 'first' | 'previous'> {
  if (!redrive) return { attempts: 1, first: null, previous: null };
  return { attempts: redrive.attempts + 1, first: redrive.first, previous: redrive.letter };
}

/** What a source could not decode. */
export function decodeLetter(node: string, letter: StoredDeadLetter, redrive?: RedriveLink): Event {
  const { code, reason, raw, place } = letter;
  return rowOf({ ...nowhere, ...historyOf(redrive), kind: 'decode', node, code, reason, raw, place });
}

/** What an operator turned away. */
export function operatorLetter(node: string, letter: TurnedAway, redrive?: RedriveLink): Event {
  const { event, code, reason, input = null } = letter;
  const raw = rawOf(event);
  return rowOf({ ...nowhere, ...historyOf(redrive), kind: 'operator', node, input, code, reason, raw, place: null });
}

/** What a sink refused, with the stage and partition that the row came from. */
export function sinkLetter(
  node: string,
  letter: { event: Event; code: string; reason: string; stage: string; partition: number },
  redrive?: RedriveLink,
): Event {
  const { event, code, reason, stage, partition } = letter;
  const from = { stage, partition };
  return rowOf({
    ...nowhere,
    ...historyOf(redrive),
    kind: 'sink',
    node,
    code,
    reason,
    raw: rawOf(event),
    place: null,
    ...from,
  });
}

/** What became of a letter that was redriven: outcomes and their counts in `place`. */
export function endingOf(node: string, redrive: RedriveLink, outcomes: Readonly<Record<string, number>>): Event {
  const { first, letter: previous, attempts } = redrive;
  const ending = { ...nowhere, kind: 'ending' as const, code: '', reason: '', raw: '' };
  return rowOf({ ...ending, node, place: outcomes, attempts: attempts + 1, first, previous });
}

/** One shape: the fields of the schema in its order. */
function rowOf(row: DeadLetterRow): Event {
  const event: Event = {};
  for (const name of Object.keys(deadLetterSchema.fields)) event[name] = row[name as keyof DeadLetterRow];
  event.reason = row.reason.slice(0, limits.deadLetterReasonLengthMax);
  return event;
}

function rawOf(event: Event): string {
  return Buffer.from(JSON.stringify(event)).subarray(0, limits.deadLetterBytesMax).toString('base64');
}

/** The rows of a message of the stream of dead letters, of this engine or an earlier one. */
export function decodeDeadLetterRows(payload: Uint8Array): (OutputRow & { readonly event: DeadLetterRow & Event })[] {
  if (columnsOf(payload) !== undefined) {
    return decodeOutputFrame(payload, deadLetterSchema).rows as (OutputRow & { event: DeadLetterRow & Event })[];
  }
  return decodeOutputFrame(payload, firstSchema).rows.map((row) => {
    const event = { ...nowhere, kind: row.event.place === null ? 'operator' : 'decode', ...row.event };
    return { ...row, event: event as DeadLetterRow & Event };
  });
}

const idLength = 12;

/**
 * Name of a letter: the same whoever reads it, made of where it comes from and what it holds, so that letters of two logs never share
 * one. Short enough to be typed, without anything that a subject may not have.
 */
export function deadLetterId({ event, sequence, index }: OutputRow & { readonly event: DeadLetterRow }): string {
  const { kind, node, stage, partition, attempts, raw } = event;
  const parts = JSON.stringify([kind, node, stage, partition, sequence, index, attempts, raw]);
  return createHash('sha256').update(parts).digest('hex').slice(0, idLength);
}
