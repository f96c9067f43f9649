import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { writeTextFile } from '../files.ts';
import { groups } from '../groups.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('schema')
    .helpGroup(groups.other)
    .summary('print the JSON Schema of topology files, for editors')
    .description(
      'Prints the JSON Schema of topology files. Editors with the YAML language server use it when the file begins with\n# yaml-language-server: $schema=PATH',
    )
    .option('-o, --output <file>', 'write to a file')
    .action(async ({ output }: { output?: string }) => {
      const text = await schemaText(context);
      if (output === undefined) context.print(text);
      else writeTextFile(output, `${text}\n`, { replace: true });
    });
}

export async function schemaText(context: CommandContext): Promise<string> {
  const { topologyJsonSchema } = await import('../../topology/json-schema.ts');
  const { catalogue } = await context.loadCatalogue();
  return JSON.stringify(topologyJsonSchema(catalogue), null, 2);
}
