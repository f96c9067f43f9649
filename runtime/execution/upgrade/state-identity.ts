/** What the state of each node is: of which operator and version, and what it hangs on. Stands in the head of every checkpoint. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { BoundInput } from '../../stream/definition.ts';
import type { OperatorDefinition } from '../../stream/operator-definition.ts';
import type { StateBasis, StateMigration } from '../../stream/state-contract.ts';
import type { BoundOperatorNode, BoundTopology } from '../../topology/bound.ts';
import { ReferenceNode } from '../../topology/ir/reference-node.ts';
import type { SpreadPlan } from '../../topology/spread.ts';

export interface StateIdentity {
  /** Name of the operator. */
  readonly definition: string;
  readonly version: number;
  readonly basis: StateBasis;
  /** Fields that decide in which partition a key lies; absent where there is one, and in what early versions wrote. */
  readonly placedBy?: readonly string[];
}

/** A node of a topology as a checkpoint knows it. */
export interface NodeIdentity {
  /** Input to the node, or `node.port`, that feeds it. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Absent: it keeps none. */
  readonly state?: StateIdentity;
}

/** Operators and sinks by id. */
export type NodeIdentities = Readonly<Record<string, NodeIdentity>>;

/** `plan`: with several partitions. */
export function nodeIdentitiesOf(topology: BoundTopology, plan?: SpreadPlan): NodeIdentities {
  const identities: Record<string, NodeIdentity> = {};
  for (const node of [...topology.operators, ...topology.sinks]) {
    const inputs = Object.fromEntries(node.inputs.map(({ input, from }) => [input, ReferenceNode.format(from)]));
    const state = node.kind === 'operator' ? stateIdentityOf(node) : undefined;
    const out = plan && plan.partitions > 1 ? plan.nodes.get(node.id)?.out : undefined;
    const placed = out?.kind === 'by' && { placedBy: out.fields };
    identities[node.id] = { inputs, ...(state && { state: { ...state, ...placed } }) };
  }
  return identities;
}

export function keepsState({ bound }: BoundOperatorNode): boolean {
  return bound.stateful === true || bound.lookup !== undefined;
}

function stateIdentityOf(node: BoundOperatorNode): StateIdentity | undefined {
  if (!keepsState(node)) return undefined;
  const { definition, options } = node;
  const { version = 1 } = definition.state ?? {};
  const inputs: Record<string, BoundInput> = Object.fromEntries(
    node.inputs.map(({ input, from, schema }) => [input, { from: ReferenceNode.format(from), schema }]),
  );
  const basis = definition.state?.basis({ options, inputs }) ?? everything(node);
  // As it comes back from a checkpoint, so that the two can be compared.
  return { definition: definition.name, version, basis: JSON.parse(JSON.stringify(basis)) as StateBasis };
}

/** Of an operator that does not say what its state hangs on. Hashed: options may hold secrets. */
function everything({ options, inputs }: BoundOperatorNode): StateBasis {
  const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  const edges = inputs.map(({ input, from, schema }) => [
    input,
    from,
    Object.entries(schema.fields).map(([name, { type, nullable }]) => [name, type, nullable ?? false]),
  ]);
  return { options: hash(options), inputs: hash(edges) };
}

export type StateVerdict =
  | { readonly kind: 'kept' }
  | { readonly kind: 'migrated'; readonly steps: readonly MigrationStep[] }
  | { readonly kind: 'lost'; readonly reason: string };

export interface MigrationStep {
  readonly migration: StateMigration;
  readonly before: StateBasis;
  readonly after: StateBasis;
}

/** What becomes of the state of a node whose identity was `before` and is `now`. */
export function compareState(
  before: StateIdentity,
  now: StateIdentity | undefined,
  definition: OperatorDefinition | undefined,
): StateVerdict {
  if (!now) return { kind: 'lost', reason: 'it keeps none any more' };
  if (before.definition !== now.definition) {
    return { kind: 'lost', reason: `it was a ${before.definition} and is a ${now.definition}` };
  }
  if (before.version > now.version) {
    const reason = `its state has version ${before.version}; this engine knows it up to version ${now.version}`;
    return { kind: 'lost', reason };
  }
  const migrations = definition?.state?.migrations ?? [];
  const steps: MigrationStep[] = [];
  const wanted = withoutValues(now.basis);
  let { version } = before;
  let basis = withoutValues(before.basis);
  for (; version < now.version; version++) {
    const step = findStep(migrations, version, version + 1, basis, wanted);
    if (!step) return { kind: 'lost', reason: `nothing takes its state from version ${version} to ${version + 1}` };
    steps.push(step);
    basis = step.after;
  }
  if (!isDeepStrictEqual(basis, wanted)) {
    const step = findStep(migrations, version, version, basis, wanted);
    if (!step) return { kind: 'lost', reason: `its state hangs on ${changedParts(basis, wanted).join(', ')}` };
    steps.push(step);
  }
  const [from, to] = [before.placedBy, now.placedBy];
  // From now on the events of a key come to another partition, and its state does not go with them.
  if (from && to && !isDeepStrictEqual(from, to))
    return { kind: 'lost', reason: `its keys lie in partitions by ${from.join(', ')}, and would by ${to.join(', ')}` };
  return steps.length === 0 ? { kind: 'kept' } : { kind: 'migrated', steps };
}

/**
 * A text is kept as it is, whichever others its field may have: one more of them is no other type. Left out where two are compared, since the
 * bases of checkpoints have them.
 */
function withoutValues(basis: StateBasis): StateBasis {
  const isEnumeration = (part: object) => 'kind' in part && part.kind === 'string' && 'values' in part;
  const plain = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(plain);
    const entries = Object.entries(part).filter(([name]) => !(name === 'values' && isEnumeration(part)));
    return Object.fromEntries(entries.map(([name, value]) => [name, plain(value)]));
  };
  return plain(basis) as StateBasis;
}

function findStep(
  migrations: readonly StateMigration[],
  from: number,
  to: number,
  before: StateBasis,
  wanted: StateBasis,
): MigrationStep | undefined {
  for (const migration of migrations) {
    if (migration.from !== from || migration.to !== to) continue;
    const after = migration.basis ? migration.basis(before, wanted) : before;
    if (!after || (from === to && !isDeepStrictEqual(after, wanted))) continue;
    return { migration, before, after };
  }
  return undefined;
}

function changedParts(before: StateBasis, now: StateBasis): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => !isDeepStrictEqual(before[name], now[name]));
}
