/** Texts with fields of an event in them: `{day}/{minute}`. */
import { fieldReader } from './compiled-access.ts';
import type { Event } from './schema.ts';

export interface FieldTemplate {
  /** In the order in which they stand in it. */
  readonly fields: readonly string[];
  fill(event: Event, textOf: (value: unknown, name: string) => string): string;
  /** With the texts of the fields. */
  join(texts: readonly string[]): string;
}

export function fieldTemplate(text: string): FieldTemplate {
  // Between two pieces of text stands a name.
  const [first = '', ...rest] = text.split(/\{([^{}]*)\}/);
  const slots: { name: string; read: (event: Event) => unknown; after: string }[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    const name = rest[at] as string;
    slots.push({ name, read: fieldReader(name), after: rest[at + 1] as string });
  }
  const join = (texts: readonly string[]) => slots.reduce((filled, { after }, at) => filled + texts[at] + after, first);
  return {
    fields: slots.map(({ name }) => name),
    fill: (event, textOf) => join(slots.map(({ name, read }) => textOf(read(event), name))),
    join,
  };
}
