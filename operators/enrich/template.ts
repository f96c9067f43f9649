/** Addresses with fields in them: `https://registry.example/hospitals/{hospital}?at={unit}`. */
import { type Event, fieldTemplate } from '../../runtime/stream/index.ts';
import { enrichLimits } from './limits.ts';

/** The address for an event. Throws when a field is null: there is nothing to ask for. */
export function addressOfEvent(template: string): (event: Event) => string {
  const { fill } = fieldTemplate(template);
  return (event) => {
    const url = fill(event, partOf);
    if (url.length <= enrichLimits.urlLengthMax) return url;
    throw new Error(`the address has ${url.length} characters, more than urlLengthMax (${enrichLimits.urlLengthMax})`);
  };
}

function partOf(value: unknown, name: string): string {
  if (value === null) throw new Error(`${name} is null: there is nothing to ask for`);
  // Encoded as one part, so that no value can lead to another place of the server.
  const text = encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : String(value));
  return text === '.' || text === '..' ? text.replaceAll('.', '%2E') : text;
}
