/** What the topology view asks beside the status: the graph, keys that are kept, dead letters, and the versions that ran. */
import type { Log } from '../bus/log.ts';
import { type DeadLetterEntry, readDeadLetterBook } from '../execution/dead-letters/book.ts';
import type { Engine } from '../execution/engine.ts';
import { allVersions, type TopologyVersion } from '../execution/upgrade/versions.ts';
import { limits } from '../limits.ts';
import { graphOf, type TopologyGraph } from '../topology/graph.ts';
import { topologyNames } from '../topology/names.ts';
import { personalKeyFields } from './personal.ts';

export interface EngineGraph extends TopologyGraph {
  /** Operators that keep a state by key, so that it can be asked what a key waits for. */
  readonly keyed: readonly string[];
  /** Of the sources that run here, by id. */
  readonly addresses: Readonly<Record<string, string>>;
}

export function engineGraph({ topology, sources }: Engine): EngineGraph {
  const keyed = topology.operators.filter(({ bound }) => bound.stateful).map(({ id }) => id);
  const addresses = Object.fromEntries(sources.map(({ id, running }) => [id, running.address]));
  return { ...graphOf(topology.ir), keyed, addresses };
}

/** Some keys of an operator, for who does not know any; none where the key points at a person. */
export function engineKeys(engine: Engine, node: string): readonly string[] {
  const operator = engine.topology.operators.find(({ id }) => id === node);
  if (!operator || personalKeyFields(operator).length > 0) return [];
  const keys = new Set<string>();
  for (const { stages } of engine.units.values()) {
    for (const { machine } of stages) {
      for (const { keys: all } of machine.runner(node)?.snapshot().states.values() ?? []) {
        for (const key of all) {
          if (keys.size >= limits.keysShownMax) return [...keys];
          // A key of several fields, or of none, has no text that people write.
          if (typeof key === 'number' || (key !== '' && key.charCodeAt(0) !== 0)) keys.add(String(key));
        }
      }
    }
  }
  return [...keys].sort(new Intl.Collator('en', { numeric: true }).compare);
}

export interface DeadLettersSeen {
  /** Newest first; what they hold stays hidden. */
  readonly letters: readonly Pick<
    DeadLetterEntry,
    'id' | 'kind' | 'node' | 'code' | 'reason' | 'storedAt' | 'attempts'
  >[];
  readonly counts: readonly { readonly node: string; readonly code: string; readonly letters: number }[];
  readonly total: number;
}

export async function deadLettersSeen(engine: Engine, log: Log): Promise<DeadLettersSeen> {
  const stream = await log.find(topologyNames(engine.topology.name).deadLetterStream);
  const { entries, passedOver } = await readDeadLetterBook(stream);
  const counts = new Map<string, { node: string; code: string; letters: number }>();
  for (const { node, code } of entries) {
    const key = `${node} ${code}`;
    const count = counts.get(key) ?? { node, code, letters: 0 };
    counts.set(key, { ...count, letters: count.letters + 1 });
  }
  const letters = entries
    .slice(-limits.deadLettersSeenMax)
    .reverse()
    .map(({ id, kind, node, code, reason, storedAt, attempts }) => ({
      id,
      kind,
      node,
      code,
      reason,
      storedAt,
      attempts,
    }));
  return {
    letters,
    counts: [...counts.values()].sort((one, other) => other.letters - one.letters),
    total: entries.length + passedOver,
  };
}

export interface VersionSeen {
  readonly hash: string;
  /** Machine time at which it ran first, ms. */
  readonly since: number;
  readonly isRunning: boolean;
  readonly changes: readonly { readonly node: string; readonly change: 'added' | 'removed' | 'changed' }[];
}

/** The versions that ran on the log, newest first, each with what it changed of the one before. */
export async function versionsSeen(engine: Engine, log: Log): Promise<readonly VersionSeen[]> {
  const versions = await allVersions(await log.objects(topologyNames(engine.topology.name).checkpointBucket));
  return versions
    .map((version, index): VersionSeen => {
      const before = versions[index - 1];
      return {
        hash: version.manifest.hash,
        since: version.since,
        isRunning: version.manifest.hash === engine.topology.hash,
        changes: before ? changesOf(before, version) : [],
      };
    })
    .reverse();
}

function changesOf(before: TopologyVersion, after: TopologyVersion): VersionSeen['changes'] {
  const [old, now] = [nodesOf(before), nodesOf(after)];
  const added = [...now.keys()].filter((id) => !old.has(id)).map((node) => ({ node, change: 'added' as const }));
  const removed = [...old.keys()].filter((id) => !now.has(id)).map((node) => ({ node, change: 'removed' as const }));
  const changed = [...now].filter(([id, text]) => old.has(id) && old.get(id) !== text);
  return [...added, ...removed, ...changed.map(([node]) => ({ node, change: 'changed' as const }))];
}

function nodesOf({ manifest }: TopologyVersion): Map<string, string> {
  const all = { ...manifest.sources, ...manifest.operators, ...manifest.sinks };
  return new Map(Object.entries(all).map(([id, node]) => [id, JSON.stringify(node)]));
}
