/** What changes of a source, of a schema, of options: one line each. */
import { isDeepStrictEqual } from 'node:util';
import { describeType, type Schema } from '../../stream/schema.ts';
import { problemOf } from '../schema-book.ts';
import type { NodeManifest, SourceManifest } from './manifest.ts';
import type { SourceChange } from './plan-upgrade.ts';

export function sourceChange(
  node: string,
  old: SourceManifest | undefined,
  now: SourceManifest | undefined,
  valuesChanged: boolean,
): SourceChange {
  const kind = 'source';
  if (!old) return { node, kind, verdict: 'new', changes: [], staysOpen: false, readable: true };
  if (!now) {
    const changes = [
      'what it has taken in is handled before; how far its senders have come is forgotten, its events stay in the log',
    ];
    return { node, kind, verdict: 'removed', changes, staysOpen: false, readable: true };
  }
  const own = definitionChanges(old, now);
  if (valuesChanged) own.push('a value that is not written in the file');
  if (old.durability !== now.durability) own.push(`durability: ${old.durability} becomes ${now.durability}`);
  const schema = schemaChanges(old.schema, now.schema);
  const readable = Object.entries(now.schema.fields).every(
    ([name, field]) => problemOf(field, fieldOf(old.schema, name)) === undefined,
  );
  const idle = old.idleMs === now.idleMs ? [] : [`idle: ${old.idleMs} ms becomes ${now.idleMs} ms`];
  const disorder =
    old.disorderMs === now.disorderMs ? [] : [`disorder: ${old.disorderMs} ms becomes ${now.disorderMs} ms`];
  const [before, after] = [old.eventTime ?? 'event', now.eventTime ?? 'event'];
  const eventTime = before === after ? [] : [`event_time: ${before} becomes ${after}`];
  const changes = [...own, ...schema, ...idle, ...disorder, ...eventTime];
  // What the stage alone does with its events needs no new socket.
  const staysOpen = own.length === 0 && schema.length === 0 && idle.length === 0;
  return { node, kind, verdict: changes.length === 0 ? 'unchanged' : 'kept', changes, staysOpen, readable };
}

function fieldOf({ fields }: Schema, name: string) {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

export function schemaChanges(old: Schema, now: Schema): string[] {
  const changes: string[] = [];
  for (const [name, field] of Object.entries(now.fields)) {
    const before = fieldOf(old, name);
    if (!before) changes.push(`field ${name} is new`);
    else if (!isDeepStrictEqual(plain(before.type), plain(field.type))) {
      changes.push(`field ${name}: ${describeType(before.type)} becomes ${describeType(field.type)}`);
    } else if ((before.nullable ?? false) !== (field.nullable ?? false)) {
      changes.push(`field ${name} ${field.nullable ? 'may be absent now' : 'is always there now'}`);
    }
  }
  for (const name of Object.keys(old.fields)) if (!fieldOf(now, name)) changes.push(`field ${name} is gone`);
  if (changes.length === 0 && !isDeepStrictEqual(Object.keys(old.fields), Object.keys(now.fields))) {
    changes.push('the order of its fields');
  }
  return changes;
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

export function definitionChanges(
  old: Pick<NodeManifest, 'definition' | 'options'>,
  now: Pick<NodeManifest, 'definition' | 'options'>,
): string[] {
  if (old.definition !== now.definition) return [`it was a ${old.definition} and is a ${now.definition}`];
  const names = [...new Set([...Object.keys(old.options), ...Object.keys(now.options)])];
  const changed = names.filter((name) => !isDeepStrictEqual(old.options[name], now.options[name]));
  return changed.map((name) => `${name}: ${shown(old.options[name])} becomes ${shown(now.options[name])}`);
}

const shownMax = 60;

function shown(value: unknown): string {
  if (value === undefined) return 'the default';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text;
}
