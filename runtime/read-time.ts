/** Times as people write them. */

/** RFC 3339 with its offset: a time without one would mean another moment on each machine. Seconds may be left out. */
const timePattern = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** What `readTime` takes, for who has given it something else. */
export const takesTime = 'a time with its offset, such as 2026-03-02T07:00:00+07:00';

/** Ms since 1970; null: it is none, or has no offset. */
export function readTime(text: string): number | null {
  if (!timePattern.test(text)) return null;
  // Date.parse takes 30 February for 2 March.
  const day = Date.parse(text.slice(0, 10));
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(text.slice(0, 10))) return null;
  const value = Date.parse(text.toUpperCase().replace(' ', 'T'));
  return Number.isNaN(value) ? null : value;
}
