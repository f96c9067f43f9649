/** Paths with fields in them: `{day}/{minute}`. */
import type { Event } from '../../runtime/stream/index.ts';

const placeholder = /\{([^{}]*)\}/g;

export function fieldsOf(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1] as string);
}

/** The folder of an event, below that of the sink. No value can lead to another place: it is encoded as one name. */
export function pathOf(template: string, event: Event): string {
  return template.replace(placeholder, (_, name: string) => nameOf(event[name]));
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '_';
  const text = encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : String(value));
  // A leading point would hide it, or be the folder above.
  return text.replaceAll('*', '%2A').replaceAll('%3A', '.').replace(/^\./, '%2E');
}
