/** Rows of alerts: one for each change of state. */
import {
  type Checker,
  type Event,
  type Field,
  type FieldType,
  field,
  type Schema,
  tagOf,
} from '../../runtime/stream/index.ts';

const alertStates = ['raised', 'escalated', 'reminded', 'acknowledged', 'assigned', 'noted', 'cleared'] as const;

export type AlertState = (typeof alertStates)[number];

/** Schema of the rows. `read`: the fields whose values stand in the reason. */
export function alertSchema(args: {
  input: Schema;
  key: readonly string[];
  values: readonly string[];
  read: ReadonlySet<string>;
  /** People may act on the alerts. */
  actions: boolean;
  check: Checker;
}): Schema {
  const { input, key, values, read, actions, check } = args;
  const person = { nullable: true, privacy: 'quasi' } as const;
  const own: Record<string, Field> = {
    alert_id: field.string({ ...tagOf(key, input), description: 'node, key and time of the raising' }),
    state: field.string({ values: alertStates, repeated: true }),
    severity: field.int({ description: '1 when raised; one more for each level of `escalate`' }),
    level: field.string({ nullable: true, repeated: true, description: 'the level of `escalate` reached' }),
    at: field.timestamp({ description: 'when the state changed' }),
    raised_at: field.timestamp(),
    held_ms: field.duration({ unit: 'ms', description: 'since the condition became true, before it was raised' }),
    reason: field.string({ ...tagOf(read, input), description: 'the condition, and the values of what it reads' }),
    acknowledged_by: field.string(person),
    assigned_to: field.string(person),
    ...(actions && {
      action_by: field.string({ ...person, description: 'of an action: who did it' }),
      action_note: field.string({ ...person, description: 'of an action: what was said with it' }),
    }),
  };
  const fields: Record<string, Field> = {};
  const add = (name: string, option: string, index: number) => {
    const given = input.fields[name];
    if (name in own)
      check.problem([option, index], `every alert has a field ${name} of its own`, 'give it another name with map');
    else if (given) fields[name] = given;
  };
  key.forEach((name, index) => add(name, 'key', index));
  values.forEach((name, index) => add(name, 'values', index));
  const { alert_id: id, ...rest } = own;
  return { fields: { alert_id: id as Field, ...fields, ...rest } };
}

/** Fields of the input that an expression reads, from its text. */
export function fieldsRead(text: string, { fields }: Schema): string[] {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  const names = [...plain.matchAll(/(?<![\w.])(?:event\.)?([A-Za-z_]\w*)/g)].map((match) => match[1] as string);
  return [...new Set(names)].filter((name) => Object.hasOwn(fields, name));
}

const decimals = 3;

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'not known';
  if (typeof value === 'number') return String(Number(value.toFixed(decimals)));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `longest_wait > 240: longest_wait 250`. */
export function describeCondition(text: string, read: readonly string[], event: Event): string {
  if (read.length === 0) return text;
  return `${text}: ${read.map((name) => `${name} ${shown(event[name])}`).join(', ')}`;
}

/** Half a pair that stands alone cannot be written in a URI: it is written as what it is, so that two keys stay two. */
function encoded(text: string): string {
  return text.replace(/[^\ud800-\udfff]+|[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g, (part) =>
    isLoneHalf(part) ? `%u${part.charCodeAt(0).toString(16).toUpperCase()}` : encodeURIComponent(part),
  );
}

const isLoneHalf = (part: string) => part.length === 1 && part >= '\ud800' && part <= '\udfff';

/**
 * A value of the key as it stands in an id: a text and a number as they are, whatever else as JSON. A field of json may hold `1` and the text
 * "1": there a text that reads as JSON stands in quotes, so that no two keys have one id.
 */
function partOfId(value: unknown, kind: FieldType['kind'] | undefined): string {
  if (typeof value === 'number') return String(value + 0);
  if (typeof value !== 'string') return shown(value);
  return kind === 'json' && isJson(value) ? JSON.stringify(value) : value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `input`: the schema of the event, which says what the fields of the key may hold. */
export function alertId(
  node: string,
  { key, input }: { readonly key: readonly string[]; readonly input: Schema },
  event: Event,
  raisedAt: number,
): string {
  const values = key.map((name) => encoded(partOfId(event[name], input.fields[name]?.type.kind))).join(',');
  return `${node}/${values}/${new Date(raisedAt).toISOString()}`;
}
