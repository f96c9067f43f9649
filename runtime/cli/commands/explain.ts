import { type Command, InvalidArgumentError } from 'commander';
import { limits } from '../../limits.ts';
import type { CommandContext } from '../context.ts';
import { groups } from '../groups.ts';

export function register(program: Command, context: CommandContext): void {
  program
    .command('explain')
    .helpGroup(groups.write)
    .summary('show what the engine makes of a topology')
    .description(
      'Prints the plan of a topology: stages and partitions, streams and subjects in the log, fields of every edge, tables, state per key.',
    )
    .argument('<file>', 'topology file')
    .option('--partitions <number>', 'partitions of each stage', parsePartitions, 1)
    .option('--json', 'print the plan as JSON')
    .action(async (file: string, { partitions, json }: { partitions: number; json?: true }) => {
      const topology = await context.loadTopology(file);
      const { planTopology } = await import('../../topology/plan.ts');
      const { explainPlan } = await import('../../topology/explain.ts');
      const plan = topology.redactor.redactValue(planTopology(topology, { partitions }));
      context.print(json ? JSON.stringify(plan, null, 2) : explainPlan(plan));
    });
}

function parsePartitions(text: string): number {
  const partitions = Number(text);
  const { partitionsMax } = limits;
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= partitionsMax) return partitions;
  throw new InvalidArgumentError(`a whole number from 1 to ${partitionsMax} is needed.`);
}
