/** The pages of operators and connectors: everything on them comes from the definitions. */
import { stringify } from 'yaml';
import { bindSource } from '../../connectors/testing/bind.ts';
import { exampleInputs } from '../../operators/testing/example-inputs.ts';
import { describeKind } from '../../runtime/cli/commands/list.ts';
import type {
  Example,
  OperatorDefinition,
  Schema,
  SinkDefinition,
  SourceDefinition,
} from '../../runtime/stream/index.ts';
import { describeType } from '../../runtime/stream/index.ts';
import { bindOperator } from '../../runtime/testing/operator-harness.ts';
import { alternatives, type JsonSchema, optionSchema } from '../../runtime/topology/option-schema.ts';
import { operatorPorts } from '../../runtime/topology/ports.ts';
import { type Page, table } from './page.ts';

type Definition = OperatorDefinition | SourceDefinition | SinkDefinition;

/**
 * The options of a definition and, by their path, those inside them: `table.file`, `values.*`, `steps[].at`. Of several forms,
 * as those of `window`, all options are listed; which belong together stands in the row of the whole.
 */
function optionRows(forms: readonly JsonSchema[], root: JsonSchema, prefix = ''): string[][] {
  const properties = new Map(forms.flatMap((form) => Object.entries(form.properties ?? {})).reverse());
  return [...properties].reverse().flatMap(([name, property]) => {
    const isRequired = forms.every(({ required }) => required?.includes(name));
    const need = isRequired ? 'required' : forms.length > 1 ? '' : describeDefault(property);
    const path = `${prefix}${name}`;
    const row = [`\`${path}\``, describeKind(property), need, property.description ?? ''];
    return [row, ...innerRows(property, root, path)];
  });
}

function innerRows(schema: JsonSchema, root: JsonSchema, path: string): string[][] {
  const forms = alternatives(schema, root);
  const mappings = forms.filter(({ properties }) => properties);
  const others = forms.flatMap(({ items, additionalProperties: values }) => {
    if (typeof items === 'object') return innerRows(items, root, `${path}[]`);
    return typeof values === 'object' ? innerRows(values, root, `${path}.*`) : [];
  });
  return mappings.length === 0 ? others : [...optionRows(mappings, root, `${path}.`), ...others];
}

function describeDefault({ default: preset }: JsonSchema): string {
  return preset === undefined ? 'optional' : `\`${typeof preset === 'string' ? preset : JSON.stringify(preset)}\``;
}

function fieldsTable({ fields }: Schema): string {
  const rows = Object.entries(fields).map(([name, { type, nullable, unit, privacy, description }]) => [
    `\`${name}\``,
    `${describeType(type)}${nullable ? ', may be null' : ''}`,
    [unit && `in ${unit}`, privacy && `privacy: ${privacy}`, description].filter(Boolean).join('; '),
  ]);
  return table(['field', 'type', ''], rows);
}

/** Ports with the fields of the first example: what comes out of an operator depends on what goes in. */
function operatorOutput(definition: OperatorDefinition): string {
  const [example] = definition.examples;
  if (!example) return '';
  const { schemas } = exampleInputs(example);
  const { bound, inputs } = bindOperator({ definition, options: example.options, schema: schemas });
  const lines = Object.entries(operatorPorts(bound, inputs)).map(
    ([port, { fields }]) => `- \`${port}\`: ${Object.keys(fields).join(', ')}`,
  );
  return `Ports, with the fields of the first example:\n\n${lines.join('\n')}`;
}

function sourceOutput(definition: SourceDefinition): string {
  const [example] = definition.examples;
  if (!example) return '';
  const isStatic = !('schema' in (optionSchema(definition.options).properties ?? {}));
  if (!isStatic) return 'Its fields are those of its option `schema`.';
  return Object.entries(bindSource(definition, example.options).ports)
    .map(([port, schema]) => `Fields of port \`${port}\`:\n\n${fieldsTable(schema)}`)
    .join('\n\n');
}

function exampleText(name: string, { title, options }: Pick<Example, 'title' | 'options'>): string {
  return `${title[0]?.toUpperCase()}${title.slice(1)}:\n\n\`\`\`yaml\n${stringify({ [name]: options }).trimEnd()}\n\`\`\``;
}

function section(definition: Definition, output: string): string {
  const { name, kind, status, summary, options, examples } = definition;
  const schema = optionSchema(options);
  const rows = optionRows(alternatives(schema, schema), schema);
  const title = kind === 'operator' ? name : `${name} (${kind})`;
  return [
    `## ${title}`,
    `*${status}* ${summary}`,
    rows.length === 0 ? 'No options.' : table(['option', 'takes', 'default', ''], rows),
    schema.description ? `${schema.description[0]?.toUpperCase()}${schema.description.slice(1)}.` : '',
    output,
    ...examples.map((example) => exampleText(name, example)),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

export function operatorsPage(operators: readonly OperatorDefinition[]): Page {
  return {
    file: 'docs/operators.md',
    title: 'Operators',
    intro:
      'What can be done to a stream. An entry stands under `operators:` with an id of its own; other nodes name the id, or `id.port`. `late` takes events that came after their window had closed, `dead` those that could not be dealt with. Expressions are those of [the language of topologies](../runtime/expression/DIALECT.md).',
    sections: operators.map((operator) => section(operator, operatorOutput(operator))),
  };
}

export function connectorsPage(sources: readonly SourceDefinition[], sinks: readonly SinkDefinition[]): Page {
  return {
    file: 'docs/connectors.md',
    title: 'Connectors',
    intro:
      'How events come in and results go out. A source also takes `idle` (a sender silent for this long holds nobody up), `disorder` (how far behind the newest time of its sender an event may come), `durability` (`disk`: synced before it is acknowledged; `broker`: acknowledged once the broker has it) and `event_time` (`arrival`: the time of an event is when the engine took it in, as the log has it, whatever its fields say: windows over it are windows of processing time).',
    sections: [
      ...sources.map((source) => section(source, sourceOutput(source))),
      ...sinks.map((sink) => section(sink, '')),
    ],
  };
}
