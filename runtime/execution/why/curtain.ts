/**
 * What is shown to whom. Events are hidden by the privacy tags of their schemas, as `mach tap` does. A state has no schema: of it
 * numbers, times and truth values are shown unless they stand under the name of a tagged field, and texts only where they are known from
 * an untagged field of an event on the way to the result. Texts of senders are hidden whole.
 */
import { counted } from '../../counted.ts';
import { hidePersonal } from '../../observe/personal.ts';
import { valuesOfKey } from '../../stream/event-key.ts';
import type { StateKey } from '../../stream/operator-state.ts';
import { hidden, isPersonal } from '../../stream/privacy.ts';
import type { Event, Fields, Schema } from '../../stream/schema.ts';
import type { BoundTopology } from '../../topology/bound.ts';

const depthMax = 4;
const itemsMax = 12;
/** Numbers between are shown as times: 2001 to 2096. */
const timeFromMs = 978_307_200_000;
const timeUntilMs = 4_000_000_000_000;

export class Curtain {
  private readonly isOpen: boolean;
  private readonly taggedNames = new Set<string>();
  private readonly plainTexts = new Set<string>();

  constructor(topology: BoundTopology, { reveal }: { reveal: boolean }) {
    this.isOpen = reveal;
    for (const { ports } of [...topology.sources, ...topology.operators]) {
      for (const { fields } of Object.values(ports)) this.noteTags(fields);
    }
  }

  /** Texts of untagged fields may be shown wherever they stand. */
  learn(event: Event, schema: Schema): void {
    for (const [name, { type, privacy }] of Object.entries(schema.fields)) {
      const value = event[name];
      if (privacy === undefined && type.kind === 'string' && typeof value === 'string') this.plainTexts.add(value);
    }
  }

  event(event: Event, schema: Schema): Event {
    this.learn(event, schema);
    return withTimes(this.isOpen ? event : hidePersonal(event, schema), schema);
  }

  /** What an expression gives; `isPersonal`: it reads what points at a person. The answer to a question may be seen. */
  result(value: unknown, { isPersonal: isOfPerson }: { isPersonal: boolean }): unknown {
    return this.isOpen || !isOfPerson || value === null || typeof value === 'boolean' ? value : hidden;
  }

  text(raw: string): string {
    return this.isOpen ? raw : hidden;
  }

  /** Of several fields the values by their names: as such a key is kept nobody can read it. */
  key(key: StateKey, fields: readonly string[]): unknown {
    const values = fields.length === 0 ? undefined : valuesOfKey(key, fields.length);
    if (values && values.length > 1)
      return this.state(Object.fromEntries(fields.map((name, at) => [name, values[at]])));
    const [name] = fields;
    if (!this.isOpen && name !== undefined && this.taggedNames.has(name)) return hidden;
    const value = values ? values[0] : key;
    return typeof value === 'number' ? value : this.state(value);
  }

  state(value: unknown): unknown {
    return this.shown(value, undefined, 0);
  }

  private isPlain(text: string): boolean {
    return text === '' || this.plainTexts.has(text);
  }

  private shown(value: unknown, name: string | undefined, depth: number): unknown {
    if (value === null || value === undefined) return null;
    if (name !== undefined && !this.isOpen && this.taggedNames.has(name)) return hidden;
    if (typeof value === 'string') return this.isOpen || this.isPlain(value) ? value : hidden;
    if (typeof value === 'number') return shownNumber(value);
    if (typeof value !== 'object') return value;
    if (value instanceof Map || value instanceof Set) return counted(value.size, 'entry', 'entries');
    if (Array.isArray(value)) {
      if (value.length > itemsMax || depth >= depthMax) return counted(value.length, 'item');
      return value.map((item) => this.shown(item, name, depth + 1));
    }
    const entries = Object.entries(value);
    if (depth >= depthMax) return counted(entries.length, 'field');
    return Object.fromEntries(entries.map(([inner, item]) => [inner, this.shown(item, inner, depth + 1)]));
  }

  private noteTags(fields: Fields): void {
    for (const [name, field] of Object.entries(fields)) {
      if (isPersonal(field)) this.taggedNames.add(name);
      if (field.type.kind === 'record') this.noteTags(field.type.fields);
    }
  }
}

function shownNumber(value: number): number | string {
  if (Number.isInteger(value) && value > timeFromMs && value < timeUntilMs) return new Date(value).toISOString();
  return Number.isFinite(value) ? value : String(value);
}

function withTimes(event: Event, schema: Schema): Event {
  const shown = Object.entries(event).map(([name, value]) => {
    const isTime = schema.fields[name]?.type.kind === 'timestamp' && typeof value === 'number';
    return [name, isTime && Math.abs(value) <= 8.64e15 ? new Date(value).toISOString() : value];
  });
  return Object.fromEntries(shown);
}
