/** The columns of the patient and of what identifies a visit. */
import type { Hl7Segment } from '@medplum/core';
import type { Column, Place, Reader } from './reader.ts';
import type { sexes } from './schema.ts';
import { parseDate } from './time.ts';

type Sex = (typeof sexes)[number];

/** Table 0001, and the numbers of ISO/IEC 5218, which Vietnamese health insurance uses too. */
const sexOf: Readonly<Record<string, Sex>> = {
  M: 'male',
  MALE: 'male',
  '1': 'male',
  F: 'female',
  FEMALE: 'female',
  '2': 'female',
  O: 'other',
  OTHER: 'other',
  A: 'other',
  N: 'other',
  X: 'other',
  U: 'unknown',
  UNKNOWN: 'unknown',
  '0': 'unknown',
};

export interface Identifier {
  readonly value: string;
  readonly authority: string | null;
}

/** Of repeated identifiers (CX), the medical record number, else the first that is not empty. */
function readIdentifier(reader: Reader, segment: Hl7Segment | undefined, field: number): Identifier | undefined {
  let chosen: number | undefined;
  for (let index = 0; index < reader.repetitions(segment, field); index += 1) {
    if (reader.value([segment, field, 1, index]) === '') continue;
    chosen ??= index;
    if (reader.value([segment, field, 5, index]) !== 'MR') continue;
    chosen = index;
    break;
  }
  if (chosen === undefined) return undefined;
  return {
    value: reader.value([segment, field, 1, chosen]),
    authority: reader.value([segment, field, 4, chosen]) || null,
  };
}

export function identifierOf(
  reader: Reader,
  column: Column,
  segment: Hl7Segment | undefined,
  ...fields: readonly number[]
): Identifier | null {
  for (const field of fields) {
    const found = readIdentifier(reader, segment, field);
    if (found) return found;
  }
  reader.noteDeletion(
    column,
    fields.map((field): Place => [segment, field]),
  );
  return null;
}

export interface Name {
  readonly family: string | null;
  readonly given: string | null;
  /** Family, middle and given name: the order of Vietnam. */
  readonly full: string | null;
}

export function readName(reader: Reader, segment: Hl7Segment | undefined): Name {
  for (let index = 0; index < reader.repetitions(segment, 5); index += 1) {
    const family = reader.value([segment, 5, 1, index]);
    const given = reader.value([segment, 5, 2, index]);
    const middle = reader.value([segment, 5, 3, index]);
    if (family === '' && given === '' && middle === '') continue;
    return { family: family || null, given: joined([given, middle], ' '), full: joined([family, middle, given], ' ') };
  }
  reader.noteDeletion('patient_name', [[segment, 5]]);
  reader.noteDeletion('family_name', [[segment, 5]]);
  reader.noteDeletion('given_name', [[segment, 5, 2]]);
  return { family: null, given: null, full: null };
}

export function readBirthDate(reader: Reader, segment: Hl7Segment | undefined): string | null {
  const text = reader.first('birth_date', [segment, 7]);
  if (text === null) return null;
  const date = parseDate(text);
  if (date === undefined) reader.problem([segment, 7], 'not a date');
  return date ?? null;
}

export function readSex(reader: Reader, segment: Hl7Segment | undefined): Sex | null {
  const code = reader.first('sex', [segment, 8]);
  if (code === null) return null;
  const sex = sexOf[code.toUpperCase()];
  if (sex === undefined) reader.problem([segment, 8], 'not a sex of table 0001');
  return sex ?? null;
}

export function readAddress(
  reader: Reader,
  segment: Hl7Segment | undefined,
): { line: string | null; city: string | null } {
  for (let index = 0; index < reader.repetitions(segment, 11); index += 1) {
    const street = reader.values([segment, 11, 1, index]).join(' ');
    const rest = [2, 3, 4, 5, 6].map((component) => reader.value([segment, 11, component, index]));
    const line = joined([street, ...rest], ', ');
    if (line !== null) return { line, city: rest[1] || null };
  }
  reader.noteDeletion('address', [[segment, 11]]);
  reader.noteDeletion('city', [[segment, 11, 3]]);
  return { line: null, city: null };
}

/** XTN: the number unformatted (component 12), as text (1, withdrawn in 2.7), or in parts (5 country, 6 area, 7 local). */
export function readPhone(reader: Reader, segment: Hl7Segment | undefined): string | null {
  for (const field of [13, 14]) {
    for (let index = 0; index < reader.repetitions(segment, field); index += 1) {
      const number =
        reader.value([segment, field, 12, index]) ||
        reader.value([segment, field, 1, index]) ||
        joined(
          [5, 6, 7].map((component) => reader.value([segment, field, component, index])),
          ' ',
        );
      if (number) return number;
    }
  }
  reader.noteDeletion('phone', [[segment, 13]]);
  return null;
}

function joined(parts: readonly string[], separator: string): string | null {
  return parts.filter((part) => part !== '').join(separator) || null;
}
