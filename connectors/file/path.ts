/** Folders named by fields: `{day}/{minute}`. */
import { type Event, fieldsReader, fieldTemplate } from '../../runtime/stream/index.ts';
import { fileLimits } from './limits.ts';

/** The folder of an event, below that of the sink. No value can lead to another place: it is encoded as one name. */
export function pathOfEvent(template: string): (event: Event) => string {
  const { fields, fill } = fieldTemplate(template);
  const valuesOf = fieldsReader(fields);
  // Rows of one day have one day.
  const names = new Map<unknown, string>();
  const nameOnce = (value: unknown): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = nameOf(value);
    if (typeof value === 'object') return name;
    if (names.size >= fileLimits.namesKnownMax) names.clear();
    names.set(value, name);
    return name;
  };
  let last: readonly unknown[] | undefined;
  let folder = '';
  return (event) => {
    const values = valuesOf(event);
    // Rows that follow one another mostly go to one folder.
    if (last?.every((value, at) => value === values[at])) return folder;
    last = values;
    folder = fill(event, nameOnce);
    return folder;
  };
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return '_';
  const text = encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : String(value));
  // A leading point would hide it, or be the folder above.
  return text.replaceAll('*', '%2A').replaceAll('%3A', '.').replace(/^\./, '%2E');
}
