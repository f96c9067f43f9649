import type { Command } from 'commander';
import type { Manifest } from '../../execution/upgrade/manifest.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';

interface PlanFlags {
  readonly data: string;
  readonly acceptLoss?: string;
  readonly json?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('plan')
    .helpGroup(groups.run)
    .summary('say what changes between two versions of a topology')
    .description(
      'Says for every node whether its state is kept, migrated or lost when one version of a topology takes the place of another, for every table what becomes of it, for every source whether it stays open. Touches nothing.\nOLD is a file, or `live`: what the engine runs that `mach run` has started in the data folder, else what the newest checkpoint in the log of NATS_URL was made by.\nEnds with 0 when the new version can be applied, with 1 when it would be refused, for one because state would be lost.',
    )
    .argument('<old>', 'topology file, or `live`')
    .argument('<new>', 'topology file')
    .option('--data <folder>', 'data folder of the engine that runs, for `live`', '.mach/data')
    .option('--accept-loss <nodes>', 'nodes whose state may be lost, separated by commas')
    .option('--json', 'print the plan as JSON')
    .action((before: string, after: string, flags: PlanFlags) => plan(before, after, flags, context));
}

async function plan(before: string, after: string, flags: PlanFlags, context: CommandContext): Promise<void> {
  const next = await context.loadTopology(after);
  const { manifestOf } = await import('../../execution/upgrade/manifest.ts');
  const { planUpgrade } = await import('../../execution/upgrade/plan-upgrade.ts');
  const old = before === 'live' ? await liveManifest(next, flags.data, context) : await context.loadTopology(before);
  const isFile = 'ir' in old;
  const { valuesChanged } = await import('../../execution/upgrade/change.ts');
  const manifest = isFile ? manifestOf(old) : old;
  const { acceptLossOf, refuseUnknownNodes } = await import('../accept-loss.ts');
  const acceptLoss = acceptLossOf(flags.acceptLoss);
  refuseUnknownNodes(acceptLoss, next, [manifest]);
  const made = planUpgrade(manifest, manifestOf(next, { partitions: manifest.partitions }), {
    acceptLoss: new Set(acceptLoss),
    definitions: new Map(next.operators.map((node) => [node.id, node.definition])),
    ...(isFile && { valuesChanged: valuesChanged(old, next) }),
  });
  const shown = next.redactor.redactValue(made);
  const { describePlan } = await import('../plan-text.ts');
  context.print(flags.json ? JSON.stringify(shown, null, 2) : describePlan(shown));
  if (made.refusals.length > 0) throw new CommandExit(exitCodes.found);
}

async function liveManifest({ name }: BoundTopology, directory: string, context: CommandContext): Promise<Manifest> {
  const { findRunning } = await import('../ask-upgrade.ts');
  const running = await findRunning(directory, name);
  if (running) return running.manifest;
  const { NATS_URL: url } = context.env;
  if (!url)
    throw cliErrors.make('MACH1625', { reason: `no engine runs ${name} in ${directory}, and there is no NATS_URL` });
  const { connectLog } = await import('../../bus/index.ts');
  const { systemClock } = await import('../../clock.ts');
  const { topologyNames } = await import('../../topology/names.ts');
  const { lastVersion } = await import('../../execution/upgrade/versions.ts');
  const log = await connectLog({ url, clock: systemClock() });
  try {
    const version = await lastVersion(await log.objects(topologyNames(name).checkpointBucket));
    if (!version) throw cliErrors.make('MACH1625', { reason: `${name} has never run on this log` });
    return version.manifest;
  } finally {
    await log.close();
  }
}
