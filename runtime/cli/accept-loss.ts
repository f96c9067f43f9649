/** `--accept-loss NODE,NODE`: what may be lost is named, and a name that means nothing is a mistake. */
import type { Log } from '../bus/log.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Manifest } from '../execution/upgrade/manifest.ts';
import type { BoundTopology } from '../topology/bound.ts';
import { cliErrors } from './errors.ts';

/** Stands for the log itself. */
const logItself = 'log';

export function acceptLossOf(text: string | undefined): string[] {
  const names = text?.split(',').map((node) => node.trim()) ?? [];
  return names.filter((node) => node !== '');
}

/** `before`: earlier versions, of which a node may be gone. Throws MACH1636. */
export function refuseUnknownNodes(
  acceptLoss: readonly string[],
  topology: BoundTopology,
  before: readonly Manifest[],
): void {
  const own = [...topology.sources, ...topology.operators, ...topology.sinks].map(({ id }) => id);
  const earlier = before.flatMap(({ sources, operators, sinks }) => [sources, operators, sinks].flatMap(Object.keys));
  const known = new Set([...own, ...earlier, logItself]);
  const unknown = acceptLoss.find((node) => !known.has(node));
  if (unknown === undefined) return;
  const near = didYouMean(unknown, [...known]);
  const error = cliErrors.make('MACH1636', { node: unknown, topology: topology.name });
  if (near) error.message += `. Did you mean ${near}?`;
  throw error;
}

/** Asks the log for the earlier versions. Rejects with MACH1636. */
export async function refuseUnknownLoss(
  acceptLoss: readonly string[],
  { topology, log }: { readonly topology: BoundTopology; readonly log: Log },
): Promise<void> {
  if (acceptLoss.length === 0) return;
  const { topologyNames } = await import('../topology/names.ts');
  const { readVersion, versionHashes } = await import('../execution/upgrade/versions.ts');
  const objects = await log.objects(topologyNames(topology.name).checkpointBucket);
  const versions = await Promise.all((await versionHashes(objects)).map((hash) => readVersion(objects, hash)));
  refuseUnknownNodes(
    acceptLoss,
    topology,
    versions.flatMap((version) => (version ? [version.manifest] : [])),
  );
}
