import { basename, dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { writeTextFile } from '../files.ts';
import { groups } from '../groups.ts';
import { schemaText } from './schema.ts';

interface InitOptions {
  readonly file?: string;
  readonly name?: string;
  readonly stdout?: true;
  readonly force?: true;
}

const schemaFile = join('.mach', 'topology.schema.json');

export function register(program: Command, context: CommandContext): void {
  program
    .command('init')
    .helpGroup(groups.write)
    .summary("write a topology to start from: init hl7-mllp '->' filter '->' clickhouse")
    .description(
      'Writes a topology that runs, from the names of a source, of operators and of a sink in the order in which events\nflow. The arrows may be left out (in a shell they need quotes). mach list shows the names.',
    )
    .argument('<words...>', "source '->' operator '->' sink")
    .option('-f, --file <file>', 'where to write (default: NAME.yaml)')
    .option('-n, --name <name>', 'name of the topology (default: made from the words)')
    .option('--stdout', 'print it instead of writing files')
    .option('--force', 'replace an existing file')
    .action((words: string[], options: InitOptions) => init(words, options, context));
}

async function init(
  words: readonly string[],
  { file, name, stdout, force }: InitOptions,
  context: CommandContext,
): Promise<void> {
  const { writeStarter } = await import('../starter.ts');
  const { catalogue } = await context.loadCatalogue();
  const names = words
    .join(' ')
    .split(/\s*(?:->|→|,|\s)\s*/)
    .filter((word) => word !== '');
  const title = name ?? (file ? basename(file).replace(/\.ya?ml$/, '') : (names[0] ?? 'topology'));
  const target = file ?? `${title}.yaml`;
  const modeline = relative(dirname(target), schemaFile).replaceAll('\\', '/');
  const starter = writeStarter(names, { catalogue, name: title, schemaPath: modeline });
  if (starter.problem !== undefined)
    throw cliErrors.make('MACH1607', { words: words.join(' '), reason: bareArrow(words) ?? starter.problem });
  if (stdout) {
    context.print(starter.text.trimEnd());
    return;
  }
  writeTextFile(target, starter.text, { replace: force === true });
  writeTextFile(schemaFile, `${await schemaText(context)}\n`, { replace: true });
  const { formatOneLine, loadTopology } = await import('../../topology/index.ts');
  const left = loadTopology(target, { catalogue, env: context.env }).diagnostics.map(formatOneLine);
  const toDo = left.length > 0 ? `\n\nstill to be filled in:\n  ${left.join('\n  ')}` : '';
  context.print(
    `wrote ${target}${toDo}\n\nnext:\n  mach check ${target}\n  mach graph ${target}\n  mach run ${target}`,
  );
}

/** In a shell `->` without quotes is a `-` and a file that takes the output, and the words after it are gone. */
function bareArrow(words: readonly string[]): string | undefined {
  return words.includes('-') ? "arrows need quotes in a shell ('->'), or leave them out" : undefined;
}
