/** Addresses with fields in them: `https://registry.example/hospitals/{hospital}?at={unit}`. */
import type { Event } from '../../runtime/stream/index.ts';
import { enrichLimits } from './limits.ts';

const placeholder = /\{([^{}]*)\}/g;

export function fieldsOf(template: string): string[] {
  return [...template.matchAll(placeholder)].map((match) => match[1] as string);
}

/** The address for an event. Throws when a field is null: there is nothing to ask for. */
export function fillIn(template: string, event: Event): string {
  const url = template.replace(placeholder, (_, name: string) => {
    const value = event[name];
    if (value === null || value === undefined) throw new Error(`${name} is null: there is nothing to ask for`);
    // Encoded as one part, so that no value can lead to another place of the server.
    const text = encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : String(value));
    return text === '.' || text === '..' ? text.replaceAll('.', '%2E') : text;
  });
  if (url.length <= enrichLimits.urlLengthMax) return url;
  throw new Error(`the address has ${url.length} characters, more than urlLengthMax (${enrichLimits.urlLengthMax})`);
}
