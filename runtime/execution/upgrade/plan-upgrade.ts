/** What changes when one version of a topology takes the place of another, and what would be lost. */
import { counted } from '../../counted.ts';
import type { OperatorDefinition } from '../../stream/operator-definition.ts';
import type { Manifest, NodeManifest, SinkManifest, SourceManifest } from './manifest.ts';
import { definitionChanges, schemaChanges, sourceChange } from './source-changes.ts';
import { compareState } from './state-identity.ts';
import { type TableChange, tableChanges } from './table-changes.ts';

export type NodeVerdict =
  | 'unchanged'
  /** Its options or inputs have changed; its state is kept, or it has none. */
  | 'kept'
  | 'migrated'
  | 'lost'
  | 'new'
  | 'removed';

export interface NodeChange {
  readonly node: string;
  readonly kind: 'source' | 'operator' | 'sink';
  readonly verdict: NodeVerdict;
  /** One line each: which options, which inputs, what is migrated, why it is lost. */
  readonly changes: readonly string[];
}

export interface SourceChange extends NodeChange {
  readonly kind: 'source';
  /** Its sockets stay open while the topology changes. */
  readonly staysOpen: boolean;
  /** What the log holds of it can be read by the new version, by field name. */
  readonly readable: boolean;
}

export interface UpgradePlan {
  readonly topology: string;
  readonly before: string;
  readonly after: string;
  /** Nothing at all changes. */
  readonly same: boolean;
  readonly sources: readonly SourceChange[];
  readonly operators: readonly NodeChange[];
  readonly sinks: readonly NodeChange[];
  readonly tables: readonly TableChange[];
  readonly partitions: { readonly before: number; readonly after: number };
  /** Nodes whose state would be lost and is not accepted to be. */
  readonly lost: readonly string[];
  /** Why it cannot be applied, one line each; empty when it can. */
  readonly refusals: readonly string[];
}

export interface PlanOptions {
  readonly acceptLoss?: ReadonlySet<string>;
  /** Of the new version, by node. */
  readonly definitions: ReadonlyMap<string, OperatorDefinition>;
  /** Nodes in which a value changes that is not written in the file: of `${env:X}`. */
  readonly valuesChanged?: ReadonlySet<string>;
  /** The tables themselves are asked, which somebody may have changed by hand: what the versions say of them refuses nothing. */
  readonly storeDecides?: boolean;
}

export function planUpgrade(before: Manifest, after: Manifest, options: PlanOptions): UpgradePlan {
  const { acceptLoss = new Set(), valuesChanged = new Set() } = options;
  const sources = changesOf(before.sources, after.sources, (node, old, now) =>
    sourceChange(node, old, now, valuesChanged.has(node)),
  ) as SourceChange[];
  const operators = changesOf(before.operators, after.operators, (node, old, now) =>
    operatorChange(node, { before, after, old, now }, options.definitions.get(node)),
  );
  const sinks = changesOf(before.sinks, after.sinks, (node, old, now) => sinkChange(node, old, now, valuesChanged));
  const tables = tableChanges(tablesOf(before), tablesOf(after));
  const lost = operators
    .filter(({ node, verdict }) => verdict === 'lost' && !acceptLoss.has(node))
    .map(({ node }) => node);
  const partitions = { before: before.partitions, after: after.partitions };
  const all = [...sources, ...operators, ...sinks, ...tables];
  return {
    topology: after.topology,
    before: before.hash,
    after: after.hash,
    same: all.every(({ verdict }) => verdict === 'unchanged') && before.partitions === after.partitions,
    sources,
    operators,
    sinks,
    tables,
    partitions,
    lost,
    refusals: refusalsOf({ before, after, operators, tables: options.storeDecides ? [] : tables, lost, partitions }),
  };
}

function refusalsOf(args: {
  before: Manifest;
  after: Manifest;
  operators: readonly NodeChange[];
  tables: readonly TableChange[];
  lost: readonly string[];
  partitions: UpgradePlan['partitions'];
}): string[] {
  const { before, after, operators, tables, lost, partitions } = args;
  const refusals: string[] = [];
  if (before.topology !== after.topology) {
    refusals.push(`${before.topology} and ${after.topology} are two topologies: they share neither log nor state`);
  }
  for (const node of lost) {
    const reason = operators.find((one) => one.node === node)?.changes.at(-1) ?? '';
    refusals.push(`the state of ${node} would be lost: ${reason}`);
  }
  for (const { table, verdict, changes, remedy } of tables) {
    if (verdict === 'refused') refusals.push(`table ${table}: ${changes[0]}; ${remedy}`);
  }
  if (durabilityOf(before) !== durabilityOf(after)) {
    refusals.push(
      `its log has the durability ${durabilityOf(before)}, the strongest of its sources, and would have to have ${durabilityOf(after)}: give the new version another name, or leave a source at ${durabilityOf(before)}`,
    );
  }
  if (partitions.before !== partitions.after) {
    refusals.push(
      `it runs with ${counted(partitions.before, 'partition')}, not ${partitions.after}: see \`mach help run\` on --partitions`,
    );
  }
  return refusals;
}

/** As in `openStreams`: that of the log of inputs and results. */
function durabilityOf({ sources }: Manifest): 'disk' | 'broker' {
  return Object.values(sources).some(({ durability }) => durability === 'disk') ? 'disk' : 'broker';
}

function changesOf<M extends SourceManifest | NodeManifest>(
  before: Readonly<Record<string, M>>,
  after: Readonly<Record<string, M>>,
  changeOf: (node: string, old: M | undefined, now: M | undefined) => NodeChange,
): NodeChange[] {
  const gone = Object.keys(before).filter((node) => !Object.hasOwn(after, node));
  return [...Object.keys(after), ...gone].map((node) => changeOf(node, own(before, node), own(after, node)));
}

function own<M>(of: Readonly<Record<string, M>>, name: string): M | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function operatorChange(
  node: string,
  {
    before,
    after,
    old,
    now,
  }: { before: Manifest; after: Manifest; old?: NodeManifest | undefined; now?: NodeManifest | undefined },
  definition: OperatorDefinition | undefined,
): NodeChange {
  const kind = 'operator';
  const stateBefore = before.states[node]?.state;
  if (!old) return { node, kind, verdict: 'new', changes: [] };
  if (!now) {
    if (!stateBefore) return { node, kind, verdict: 'removed', changes: [] };
    return { node, kind, verdict: 'lost', changes: ['it is gone'] };
  }
  const changes = nodeChanges(old, now);
  const unchanged = changes.length === 0 ? 'unchanged' : 'kept';
  if (!stateBefore) return { node, kind, verdict: unchanged, changes };
  const verdict = compareState(stateBefore, after.states[node]?.state, definition);
  if (verdict.kind === 'kept') return { node, kind, verdict: unchanged, changes };
  if (verdict.kind === 'lost') return { node, kind, verdict: 'lost', changes: [...changes, verdict.reason] };
  const steps = verdict.steps.map(({ migration }) => migration.summary);
  return { node, kind, verdict: 'migrated', changes: [...changes, ...steps] };
}

function sinkChange(
  node: string,
  old: SinkManifest | undefined,
  now: SinkManifest | undefined,
  valuesChanged: ReadonlySet<string>,
): NodeChange {
  const kind = 'sink';
  if (!old) return { node, kind, verdict: 'new', changes: [] };
  if (!now) return { node, kind, verdict: 'removed', changes: ['what is on its way to it is written before'] };
  const changes = nodeChanges(old, now);
  if (valuesChanged.has(node)) changes.push('a value that is not written in the file');
  return { node, kind, verdict: changes.length === 0 ? 'unchanged' : 'kept', changes };
}

function nodeChanges(old: NodeManifest, now: NodeManifest): string[] {
  const inputs = Object.keys(now.inputs).filter((input) => old.inputs[input] === now.inputs[input]);
  const schemas = inputs.flatMap((input) => {
    const [before, after] = [old.schemas[input], now.schemas[input]];
    const changes = before && after ? schemaChanges(before, after) : [];
    return changes.map((change) => `from ${now.inputs[input]}: ${change}`);
  });
  return [...definitionChanges(old, now), ...schemas];
}

function tablesOf({ sinks }: Manifest) {
  const tables = Object.values(sinks).flatMap((sink) => sink.tables);
  return [...new Map(tables.map((table) => [table.name, table])).values()];
}
