/** Keys of things that are compared: null equals nothing. */
import {
  type Event,
  eventKey,
  fieldReader,
  hidden,
  isPersonalIn,
  keyOfValue,
  type Schema,
  type StateKey,
} from '../../runtime/stream/index.ts';

/** The key that some fields make; null when one of them is null. */
export function equalityKey(fields: readonly string[]): (event: Event) => StateKey | null {
  const [only] = fields;
  if (only !== undefined && fields.length === 1) {
    const read = fieldReader(only);
    return (event) => {
      const value = read(event);
      return value === null ? null : keyOfValue(value);
    };
  }
  const keyOf = eventKey(fields);
  return (event) => {
    for (const name of fields) if (event[name] === null || event[name] === undefined) return null;
    return keyOf(event);
  };
}

/** The values of a key, for people: what points at one is hidden. */
export function describeKey(event: Event, names: readonly string[], schema: Schema): string {
  return names.map((name) => (isPersonalIn(schema, name) ? hidden : String(event[name]))).join(', ');
}
