import { type Command, Option } from 'commander';
import type { GraphFormat } from '../../topology/graph.ts';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('graph')
    .helpGroup(groups.write)
    .summary('draw a topology')
    .description(
      'Prints the nodes and edges of a topology as a picture: Mermaid for documents, DOT for Graphviz, JSON for programs.',
    )
    .argument('<file>', 'topology file')
    .addOption(
      new Option('--format <format>', 'form of the picture').choices(['mermaid', 'dot', 'json']).default('mermaid'),
    )
    .action(async (file: string, { format }: { format: GraphFormat }) => {
      const topology = await context.loadTopology(file);
      const { formatGraph } = await import('../../topology/graph.ts');
      context.print(formatGraph(topology.ir, format));
    });
}
