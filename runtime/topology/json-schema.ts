/** JSON Schema of topology files, so that editors complete and explain while one writes. */
import type { Catalogue } from '../stream/definition.ts';
import { type AnyDefinition, type Section, sections } from './entry.ts';
import { type JsonSchema, optionSchema } from './option-schema.ts';

const idPattern = '^[a-z][a-z0-9_-]{0,63}$';
const durationPattern = '^(\\d+(\\.\\d+)?(ms|s|m|h|d|w))+$';
const sizePattern = '^\\d+(\\.\\d+)?(B|KiB|MiB|GiB)$';
const inputPattern = '^[a-z][a-z0-9_-]*(\\.[a-z][a-z0-9_-]*)?$';
/** A value that is wholly or partly a reference may stand where a number or a pattern is asked for. */
const reference = { type: 'string', pattern: '\\$\\{(env|file):[^}]+\\}' };

const summaries: Readonly<Record<Section, string>> = {
  sources: 'Where events come in. The id is the key.',
  operators: 'What is done to the streams. The id is the key: it names the state and the metrics.',
  sinks: 'Where results go. The id is the key.',
};

export function topologyJsonSchema(catalogue: Catalogue): object {
  const properties = Object.fromEntries(sections.map((section) => [section, sectionSchema(section, catalogue)]));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Mach topology',
    type: 'object',
    required: ['version', 'name', 'sources', 'sinks'],
    additionalProperties: false,
    properties: {
      version: { const: 1, description: 'Version of the format.' },
      name: { type: 'string', pattern: idPattern, description: 'Part of stream and subject names in the log.' },
      description: { type: 'string' },
      ...properties,
    },
  };
}

function sectionSchema(section: Section, catalogue: Catalogue): object {
  return {
    type: section === 'operators' ? ['object', 'null'] : 'object',
    description: summaries[section],
    propertyNames: { pattern: idPattern },
    additionalProperties: { oneOf: catalogue[section].map((definition) => entrySchema(section, definition)) },
    ...(section !== 'operators' && { minProperties: 1 }),
  };
}

function entrySchema(section: Section, definition: AnyDefinition): object {
  const { name, summary, options } = definition;
  const schema = optionSchema(options);
  const body = { description: summary, ...toEditorSchema(schema) };
  // `console:` with nothing below it is written often, and means no options.
  const mayBeEmpty = (schema.required ?? []).length === 0;
  return {
    type: 'object',
    title: name,
    required: [name],
    additionalProperties: false,
    properties: {
      [name]: mayBeEmpty ? { anyOf: [body, { type: 'null' }], description: summary } : body,
      description: { type: 'string' },
      ...(section === 'sources' && {
        idle: {
          type: 'string',
          anyOf: [{ pattern: durationPattern }, reference],
          description: 'A sender silent for this long holds nobody up.',
        },
        disorder: {
          type: 'string',
          anyOf: [{ pattern: durationPattern }, reference],
          description: 'How far behind the newest event time of its sender an event may come.',
        },
        durability: {
          enum: ['disk', 'broker'],
          description: 'disk: synced before it is acknowledged; broker: acknowledged once the broker has it.',
        },
        event_time: {
          enum: ['arrival'],
          description: 'arrival: the time of an event is when the engine took it in, whatever its fields say.',
        },
      }),
    },
  };
}

/** Editors read draft 7, and know nothing of what `mach` and `decides` mean. */
function toEditorSchema(schema: JsonSchema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'mach' || key === 'decides') continue;
    if (key === '$defs') result.definitions = mapValues(value as Record<string, JsonSchema>);
    else if (key === '$ref') result.$ref = String(value).replace('#/$defs/', '#/definitions/');
    else if (key === 'properties') result.properties = mapValues(value as Record<string, JsonSchema>);
    else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf')
      result[key] = (value as JsonSchema[]).map(toEditorSchema);
    else if (key === 'prefixItems') result.items = (value as JsonSchema[]).map(toEditorSchema);
    else if (
      (key === 'items' || key === 'additionalProperties' || key === 'propertyNames') &&
      typeof value === 'object'
    ) {
      result[key] = toEditorSchema(value as JsonSchema);
    } else result[key] = value;
  }
  return admitReferences(withPattern(result, schema), schema);
}

function mapValues(schemas: Readonly<Record<string, JsonSchema>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, toEditorSchema(schema)]));
}

function withPattern(result: Record<string, unknown>, { mach }: JsonSchema): Record<string, unknown> {
  if (mach === 'duration') return { ...result, pattern: durationPattern };
  if (mach === 'size') return { ...result, pattern: sizePattern };
  return mach === 'input' ? { ...result, pattern: inputPattern } : result;
}

function admitReferences(result: Record<string, unknown>, { type, mach }: JsonSchema): Record<string, unknown> {
  const strict = type === 'integer' || type === 'number' || type === 'boolean' || result.enum || result.pattern;
  if (!strict || mach === 'input') return result;
  const { description, default: preset, examples, ...rest } = result;
  return {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples !== undefined && { examples }),
    anyOf: [rest, reference],
  };
}
