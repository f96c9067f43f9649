/** Reads values out of segments, noting what the sender emptied with `""` and what could not be understood. */
import type { Hl7Field, Hl7Segment } from '@medplum/core';
import { unescapeText } from './escapes.ts';
import { hl7Limits } from './limits.ts';
import type { Message } from './message.ts';
import type { Hl7Event } from './schema.ts';
import { parseTime, type Zone } from './time.ts';

export type Column = keyof Hl7Event;

/** Segment (absent: all its fields are), field, component from 1, repetition from 0. */
export type Place = readonly [segment: Hl7Segment | undefined, field: number, component?: number, repetition?: number];

const deletion = '""';

export class Reader {
  readonly deleted = new Set<Column>();
  readonly problems: string[] = [];
  private readonly message: Message;
  private readonly zone: Zone;

  constructor(message: Message, zone: Zone) {
    this.message = message;
    this.zone = zone;
  }

  field(segment: Hl7Segment | undefined, field: number): Hl7Field | undefined {
    return segment?.getField(field);
  }

  repetitions(segment: Hl7Segment | undefined, field: number): number {
    return this.field(segment, field)?.components.length ?? 0;
  }

  /** The component with its sub-components, unescaped and trimmed; '' when absent or emptied. */
  text([segment, field, component = 1, repetition = 0]: Place): string {
    const raw = this.field(segment, field)?.components[repetition]?.[component - 1] ?? '';
    if (raw === '' || raw === deletion) return '';
    return this.plain(raw);
  }

  /** The first sub-component of a component. */
  value([segment, field, component = 1, repetition = 0]: Place): string {
    const raw = this.field(segment, field)?.components[repetition]?.[component - 1] ?? '';
    const end = raw.indexOf(this.message.context.subcomponentSeparator);
    const first = end < 0 ? raw : raw.slice(0, end);
    return first === '' || first === deletion ? '' : this.plain(first);
  }

  /** All sub-components of a component. */
  values([segment, field, component = 1, repetition = 0]: Place): string[] {
    const raw = this.field(segment, field)?.components[repetition]?.[component - 1] ?? '';
    const parts = raw.split(this.message.context.subcomponentSeparator);
    return parts.filter((part) => part !== '' && part !== deletion).map((part) => this.plain(part));
  }

  /** The first of the places that has a value; null, and noted as deleted when one of them was emptied, when none has. */
  first(column: Column, ...places: readonly Place[]): string | null {
    for (const place of places) {
      const value = this.value(place);
      if (value !== '') return value;
    }
    this.noteDeletion(column, places);
    return null;
  }

  time(column: Column, ...places: readonly Place[]): number | null {
    for (const place of places) {
      const value = this.value(place);
      if (value === '') continue;
      const time = parseTime(value, this.zone);
      if (time !== undefined) return time;
      this.problem(place, 'not a time');
    }
    this.noteDeletion(column, places);
    return null;
  }

  timeOf(text: string): number | undefined {
    return parseTime(text, this.zone);
  }

  noteDeletion(column: Column, places: readonly Place[]): void {
    for (const [segment, field, component = 1, repetition = 0] of places) {
      const components = this.field(segment, field)?.components[repetition];
      const whole = components?.length === 1 && components[0] === deletion;
      if (whole || components?.[component - 1] === deletion) this.deleted.add(column);
    }
  }

  problem([segment, field]: Place, what: string): void {
    if (this.problems.length < hl7Limits.problemsMax) this.problems.push(`${segment?.name}-${field}: ${what}`);
  }

  private plain(raw: string): string {
    return unescapeText(raw, this.message.context, this.message.decode).trim();
  }
}
