/**
 * Keeps the values of `${env:X}` and `${file:PATH}` out of everything that is printed: a value that was put into an option is
 * shown as the reference that it came from.
 */

/** Shorter values (a port, `1`) say nothing, and replacing them would garble every message. */
const secretLengthMin = 4;

export interface Redactor {
  /** The text with every secret value replaced by its reference. */
  redact(text: string): string;
  /** A copy of a JSON-like value with every text in it redacted. */
  redactValue<T>(value: T): T;
}

export interface SecretSet extends Redactor {
  add(value: string, reference: string): void;
}

export function createSecretSet(): SecretSet {
  const secrets = new Map<string, string>();
  let longestFirst: [string, string][] = [];
  const redact = (text: string): string => {
    let result = text;
    for (const [value, reference] of longestFirst) {
      if (result.includes(value)) result = result.replaceAll(value, () => reference);
    }
    return result;
  };
  const redactValue = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(redactValue);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redactValue(inner)]));
  };
  return {
    add(value, reference) {
      if (value.length < secretLengthMin) return;
      secrets.set(value, reference);
      // As it would stand inside a quoted text of a message or of JSON.
      secrets.set(JSON.stringify(value).slice(1, -1), reference);
      longestFirst = [...secrets].sort(([a], [b]) => b.length - a.length);
    },
    redact,
    redactValue: <T>(value: T) => redactValue(value) as T,
  };
}
