/** What emergency departments send in OBX: triage, times, ventilation, complaint. Codes can be added by the source's options. */
import type { Hl7Segment } from '@medplum/core';
import type { Reader } from './reader.ts';

export const observedFields = [
  'triage_level',
  'triaged_at',
  'seen_at',
  'admit_decision_at',
  'ventilated',
  'chief_complaint',
] as const;
export type ObservedField = (typeof observedFields)[number];

/**
 * Codes of OBX-3.1 or OBX-3.4. LOINC where it has one: 11283-9 acuity assessment at first encounter, 20124-4 ventilation mode,
 * 8661-1 chief complaint. The others are of the local system 99MACH.
 */
export const usualCodes: Readonly<Record<ObservedField, readonly string[]>> = {
  triage_level: ['11283-9'],
  triaged_at: ['TRIAGED'],
  seen_at: ['SEEN'],
  admit_decision_at: ['ADMIT-DECISION'],
  ventilated: ['VENTILATED', '20124-4'],
  chief_complaint: ['8661-1'],
};

export interface Observations {
  triage_level: number | null;
  triaged_at: number | null;
  seen_at: number | null;
  admit_decision_at: number | null;
  ventilated: boolean | null;
  chief_complaint: string | null;
}

const negative = new Set(['n', 'no', 'false', '0', 'none', 'off', 'không', '373067005']);
/** D deleted, W wrong, X cannot be obtained (table 0085). */
const withoutResult = new Set(['D', 'W', 'X']);

export function readObservations(
  segments: readonly Hl7Segment[],
  reader: Reader,
  codes: ReadonlyMap<string, ObservedField>,
): Observations {
  const found: Observations = {
    triage_level: null,
    triaged_at: null,
    seen_at: null,
    admit_decision_at: null,
    ventilated: null,
    chief_complaint: null,
  };
  let acuityAt: number | null = null;
  for (const segment of segments) {
    const target = codes.get(reader.value([segment, 3])) ?? codes.get(reader.value([segment, 3, 4]));
    if (!target || withoutResult.has(reader.value([segment, 11]))) continue;
    reader.noteDeletion(target, [[segment, 5]]);
    if (target === 'triage_level') {
      found.triage_level ??= readLevel(segment, reader);
      if (found.triage_level !== null) acuityAt ??= reader.time('triaged_at', [segment, 14]);
    } else if (target === 'ventilated') found.ventilated ??= readYes(segment, reader);
    else if (target === 'chief_complaint') found.chief_complaint ??= readText(segment, reader);
    else found[target] ??= readTime(segment, reader, target);
  }
  found.triaged_at ??= acuityAt;
  return found;
}

/** OBX-5 is the level, 1 most acute to 5: `2`, `2^Emergent`, `ESI 2`. Table 0454 counts the other way and is not taken. */
function readLevel(segment: Hl7Segment, reader: Reader): number | null {
  const text = reader.value([segment, 5]) || reader.value([segment, 5, 2]);
  if (text === '') return null;
  const system = reader.value([segment, 5, 3]);
  const level = /(?:^|[^\d.])([1-5])(?![\d.])/.exec(text)?.[1];
  if (level !== undefined && !/^HL70?454$/.test(system)) return Number(level);
  reader.problem(
    [segment, 5],
    system === '' ? 'not a triage level of 1 to 5' : `not a triage level of 1 to 5 (${system})`,
  );
  return null;
}

function readYes(segment: Hl7Segment, reader: Reader): boolean | null {
  const text = reader.value([segment, 5]) || reader.value([segment, 5, 2]);
  return text === '' ? null : !negative.has(text.toLowerCase());
}

/** The time is OBX-5 when it is one, else that of the observation, OBX-14. */
function readTime(segment: Hl7Segment, reader: Reader, target: ObservedField): number | null {
  const value = reader.value([segment, 5]);
  const time = reader.timeOf(value);
  if (time !== undefined) return time;
  const type = reader.value([segment, 2]);
  if (value !== '' && (type === 'TS' || type === 'DTM')) reader.problem([segment, 5], 'not a time');
  return reader.time(target, [segment, 14]);
}

function readText(segment: Hl7Segment, reader: Reader): string | null {
  const type = reader.value([segment, 2]);
  if (type === 'CE' || type === 'CWE' || type === 'CNE' || type === 'CF') return codedText(reader, segment, 5);
  const lines: string[] = [];
  for (let index = 0; index < reader.repetitions(segment, 5); index += 1) {
    const line = reader.text([segment, 5, 1, index]);
    if (line !== '') lines.push(line);
  }
  return lines.length > 0 ? lines.join('\n') : null;
}

/** What a person would read of a coded value: the original text, else the name, else the code. */
export function codedText(reader: Reader, segment: Hl7Segment | undefined, field: number): string | null {
  return reader.text([segment, field, 9]) || reader.text([segment, field, 2]) || reader.text([segment, field]) || null;
}
