import type { PrivacyTag, Schema } from '../../runtime/stream/index.ts';

/** Tags from the one that points most closely at a person on. */
const tags: readonly PrivacyTag[] = ['direct', 'quasi', 'health'];

/** The tag of what is made of these fields: the one that points most closely at a person. */
export function tagOf(names: Iterable<string>, { fields }: Schema): { privacy?: PrivacyTag } {
  const found = new Set([...names].map((name) => fields[name]?.privacy));
  const privacy = tags.find((tag) => found.has(tag));
  return privacy ? { privacy } : {};
}
