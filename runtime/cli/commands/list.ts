import type { Command } from 'commander';
import { didYouMean } from '../../did-you-mean.ts';
import type { AnyDefinition } from '../../topology/entry.ts';
import type { JsonSchema } from '../../topology/option-schema.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { groups } from '../groups.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('list')
    .helpGroup(groups.write)
    .summary('show the sources, operators and sinks there are')
    .description('Lists everything that topologies can be made of; with a name, its options and an example.')
    .argument('[name]', 'name of a source, an operator or a sink')
    .option('--json', 'print [{kind,name,status,summary,options,examples}], options as JSON Schema')
    .action(async (name: string | undefined, { json }: { json?: true }) => {
      const { catalogue } = await context.loadCatalogue();
      const all: AnyDefinition[] = [...catalogue.sources, ...catalogue.operators, ...catalogue.sinks];
      const chosen = name === undefined ? all : all.filter((definition) => definition.name === name);
      if (chosen.length === 0 && name !== undefined) throw unknownName(name, all);
      if (json) context.print(JSON.stringify(await Promise.all(chosen.map(toJson)), null, 2));
      else if (name === undefined) context.print(formatTable(all));
      else context.print((await Promise.all(chosen.map(describeDefinition))).join('\n\n'));
    });
}

function unknownName(name: string, all: readonly AnyDefinition[]): Error {
  const error = cliErrors.make('MACH1601', { what: 'the name', name });
  const near = didYouMean(
    name,
    all.map((definition) => definition.name),
  );
  if (near) error.message += `. Did you mean ${near}?`;
  return error;
}

async function toJson({ kind, name, status, summary, options, examples }: AnyDefinition) {
  const { optionSchema } = await import('../../topology/option-schema.ts');
  return { kind, name, status, summary, options: optionSchema(options), examples };
}

function formatTable(all: readonly AnyDefinition[]): string {
  const width = Math.max(0, ...all.map(({ name }) => name.length));
  const parts = (['source', 'operator', 'sink'] as const).map((kind) => {
    const rows = all
      .filter((definition) => definition.kind === kind)
      .map(({ name, status, summary }) => `  ${name.padEnd(width)}  ${status.padEnd(12)}  ${summary}`);
    return [`${kind}s`, ...rows].join('\n');
  });
  return `${parts.join('\n\n')}\n\nmach list NAME shows options and an example.`;
}

async function describeDefinition({ kind, name, status, summary, options, examples }: AnyDefinition): Promise<string> {
  const { optionSchema } = await import('../../topology/option-schema.ts');
  const schema = optionSchema(options);
  const lines = [`${kind} ${name}, ${status}`, summary, '', 'options', ...optionLines(schema)];
  const [example] = examples;
  if (example) {
    const { stringify } = await import('yaml');
    const text = stringify({ [name]: example.options })
      .trimEnd()
      .replaceAll('\n', '\n  ');
    lines.push('', `example: ${example.title}`, `  ${text}`);
  }
  return lines.join('\n');
}

function optionLines({ properties = {}, required = [] }: JsonSchema): string[] {
  const width = Math.max(0, ...Object.keys(properties).map((name) => name.length));
  return Object.entries(properties).map(([name, schema]) => {
    const need = required.includes(name)
      ? 'required'
      : schema.default !== undefined && typeof schema.default !== 'object'
        ? `default ${schema.default}`
        : 'optional';
    const kind = describeKind(schema);
    return `  ${name.padEnd(width)}  ${kind}, ${need}${schema.description ? `: ${schema.description}` : ''}`;
  });
}

/** What an option takes, in a few words; the pages of the documentation say it in the same ones. */
export function describeKind(schema: JsonSchema): string {
  if (schema.mach) return schema.mach;
  if (schema.enum) return schema.enum.join(' | ');
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (branches.length > 0) return [...new Set(branches.map(describeKind))].join(' or ');
  if (schema.const !== undefined) return String(schema.const);
  if (schema.type === 'object')
    return schema.properties ? `{ ${Object.keys(schema.properties).join(', ')} }` : 'mapping';
  if (schema.type === 'array')
    return typeof schema.items === 'object' ? `list of ${describeKind(schema.items)}` : 'list';
  return schema.type === 'integer'
    ? 'whole number'
    : schema.type === 'string'
      ? 'text'
      : String(schema.type ?? 'any value');
}
