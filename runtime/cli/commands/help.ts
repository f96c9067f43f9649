import type { Command } from 'commander';
import { didYouMean } from '../../did-you-mean.ts';
import { describeMessage, type ErrorDescription } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { groups } from '../groups.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('help')
    .helpGroup(groups.other)
    .summary('explain an error code or a command')
    .description('Explains an error: what it means and what to do about it. Or shows the options of a command.')
    .argument('[topic]', 'a code such as MACH1105, or the name of a command')
    .action(async (topic: string | undefined) => {
      if (topic === undefined) {
        program.outputHelp();
        return;
      }
      if (/^(?:MACH)?\d{4}$/i.test(topic)) {
        context.print(await explainCode(`MACH${topic.slice(-4)}`, context));
        return;
      }
      const command = program.commands.find((one) => one.name() === topic || one.aliases().includes(topic));
      if (command) {
        command.outputHelp();
        return;
      }
      const near = didYouMean(
        topic,
        program.commands.map((one) => one.name()),
      );
      const error = cliErrors.make('MACH1601', { what: 'the command', name: topic });
      const { catalogue } = await context.loadCatalogue();
      const isNode = [...catalogue.sources, ...catalogue.operators, ...catalogue.sinks].some(
        ({ name }) => name === topic,
      );
      if (isNode) error.message += `. \`mach list ${topic}\` shows its options`;
      else if (near) error.message += `. Did you mean ${near}?`;
      throw error;
    });
}

async function explainCode(code: string, context: CommandContext): Promise<string> {
  const { runtimeErrorLists } = await import('../error-lists.ts');
  const { errorLists } = await context.loadCatalogue();
  for (const list of [...runtimeErrorLists, ...errorLists]) {
    const found = (list as Readonly<Record<string, ErrorDescription>>)[code];
    if (found) return `${code}  ${describeMessage(found.message)}\n\n${found.help}`;
  }
  throw cliErrors.make('MACH1602', { code });
}
