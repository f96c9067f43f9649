/** The intermediate representation to the bound form, with every problem on the way. */
import { createHash } from 'node:crypto';
import type { Catalogue } from '../stream/definition.ts';
import type { Schema } from '../stream/schema.ts';
import { type BindOutcome, bindNode } from './bind-node.ts';
import type { BoundEdge, BoundOperatorNode, BoundSinkNode, BoundSourceNode, BoundTopology } from './bound.ts';
import { arrangeDiagnostics, type Diagnostic, hasErrors, makeDiagnostic } from './diagnostic.ts';
import { articles, type Entry, findDefinition, optionsPath, sectionOf } from './entry.ts';
import { fieldsReadOf } from './fields-read.ts';
import type { EdgeNode } from './ir/edge-node.ts';
import { TopologyNode } from './ir/topology-node.ts';
import { suggestName } from './option-problems.ts';
import { type ParsedOptions, parseOptions } from './parse-options.ts';
import { noPlaces, type Places } from './places.ts';
import { createSecretSet } from './redactor.ts';
import { type Environment, type ReadFile, type ReferenceContext, readFileFromDisk } from './references.ts';
import { readSourceSettings, type SourceSettings } from './source-settings.ts';
import { findUnused, orderNodes, type Wiring, wire } from './wire.ts';

export interface BindOptions {
  readonly catalogue: Catalogue;
  readonly env?: Environment;
  readonly readFile?: ReadFile;
  readonly places?: Places;
  /** Ids of nodes that are in the file but not in the representation, because they could not be understood. */
  readonly broken?: ReadonlySet<string>;
  /** Problems that were found before. */
  readonly diagnostics?: readonly Diagnostic[];
}

export interface LoadResult {
  /** Present when there is no error (there may be warnings). */
  readonly topology?: BoundTopology;
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

export function bindTopology(ir: TopologyNode, options: BindOptions): LoadResult {
  const { catalogue, broken = new Set<string>(), places = noPlaces(`topology("${ir.name}")`) } = options;
  const diagnostics: Diagnostic[] = [...(options.diagnostics ?? [])];
  const secrets = createSecretSet();
  const context: ReferenceContext = {
    places,
    env: options.env ?? process.env,
    readFile: options.readFile ?? readFileFromDisk,
    secrets,
    report: (diagnostic) => diagnostics.push(diagnostic),
  };
  const { entries, unknown } = findEntries(ir, catalogue, context);
  const wiring = wire(entries, { places, broken: new Set([...broken, ...unknown]) });
  const order = orderNodes(entries, wiring.edges, places);
  const nodes = prepareNodes(entries, context);
  const whole = bindInOrder(order.sorted, { nodes, wiring, context });
  diagnostics.push(...wiring.diagnostics, ...order.diagnostics);
  // What has errors may read it once they are mended.
  if (!hasErrors(diagnostics)) diagnostics.push(...findUnused(entries, wiring, places));
  const arranged = arrangeDiagnostics(diagnostics).map((diagnostic) => redactDiagnostic(diagnostic, secrets.redact));
  if (hasErrors(arranged)) return { diagnostics: arranged };
  const wired = TopologyNode.create({ ...ir, edges: wiring.edges });
  const inOrderOf = (ids: readonly string[], outcomes: ReadonlyMap<string, BindOutcome>) => {
    const bound = ids.map((id) => outcomes.get(id)?.bound);
    return {
      sources: bound.filter((node): node is BoundSourceNode => node?.kind === 'source'),
      operators: bound.filter((node): node is BoundOperatorNode => node?.kind === 'operator'),
      sinks: bound.filter((node): node is BoundSinkNode => node?.kind === 'sink'),
    };
  };
  let outcomes = whole;
  // Everything anew with the schemas that are left, where a source gives no more than is read.
  if ([...whole.values()].some(({ bound }) => bound?.kind === 'source' && bound.bound.narrow)) {
    const fields = fieldsReadOf(inOrderOf(order.sorted, whole));
    outcomes = bindInOrder(order.sorted, { nodes, wiring, context, fields });
  }
  const inFile = inOrderOf(
    entries.map(({ id }) => id),
    outcomes,
  );
  const topology: BoundTopology = Object.freeze({
    file: places.file,
    name: ir.name,
    version: 1,
    ...(ir.description !== undefined && { description: ir.description }),
    hash: hashOf(wired),
    ir: wired,
    sources: inFile.sources,
    operators: inOrderOf(order.sorted, outcomes).operators,
    sinks: inFile.sinks,
    redactor: { redact: secrets.redact, redactValue: secrets.redactValue },
  });
  return { topology, diagnostics: arranged };
}

function redactDiagnostic(diagnostic: Diagnostic, redact: (text: string) => string): Diagnostic {
  const { message, suggestion } = diagnostic;
  return {
    ...diagnostic,
    message: redact(message),
    ...(suggestion !== undefined && { suggestion: redact(suggestion) }),
  };
}

/** Nodes with their definitions. The parser has checked the names; the builder's are checked here. */
function findEntries(ir: TopologyNode, catalogue: Catalogue, { places, report }: ReferenceContext) {
  const entries: Entry[] = [];
  const unknown: string[] = [];
  const add = (kind: Entry['kind'], nodes: readonly Entry['node'][]) => {
    for (const node of nodes) {
      const definition = findDefinition(catalogue, sectionOf(kind), node.definition);
      if (definition) {
        entries.push({ kind, id: node.id, node, definition } as Entry);
        continue;
      }
      unknown.push(node.id);
      const names = catalogue[sectionOf(kind)].map(({ name }) => name);
      const data = { name: node.definition, kind: articles[kind] };
      const span = places.find([sectionOf(kind), node.id, node.definition], { at: 'key' });
      const suggestion = suggestName(node.definition, names, `${kind}s`);
      report(makeDiagnostic('MACH1103', { file: places.file, span, data, suggestion }));
    }
  };
  add('source', ir.sources);
  add('operator', ir.operators);
  add('sink', ir.sinks);
  return { entries, unknown };
}

interface PreparedNode {
  readonly entry: Entry;
  readonly parsed: ParsedOptions;
  readonly settings: SourceSettings | undefined;
}

function prepareNodes(entries: readonly Entry[], context: ReferenceContext): ReadonlyMap<string, PreparedNode> {
  return new Map(
    entries.map((entry) => {
      const settings = entry.kind === 'source' ? readSourceSettings(entry, context) : undefined;
      return [entry.id, { entry, parsed: parseOptions(entry, context), settings }];
    }),
  );
}

function bindInOrder(
  sorted: readonly string[],
  {
    nodes,
    wiring,
    context,
    fields,
  }: {
    nodes: ReadonlyMap<string, PreparedNode>;
    wiring: Wiring;
    context: ReferenceContext;
    fields?: ReadonlyMap<string, ReadonlySet<string>>;
  },
): ReadonlyMap<string, BindOutcome> {
  const outcomes = new Map<string, BindOutcome>();
  for (const id of sorted) {
    const node = nodes.get(id);
    if (!node) continue;
    const edges = wiring.edges.filter(({ to }) => to === id);
    const { bound: boundEdges, missing } = findSchemas(edges, node.entry, {
      outcomes,
      guesses: wiring.guesses,
      context,
    });
    // A node that lacks an input, or whose input is unknown because of an error elsewhere, would only repeat that error.
    if (node.parsed.options === undefined || wiring.unreadable.has(id) || missing) {
      outcomes.set(id, { failed: true });
      continue;
    }
    const guessedInputs = wiring.dangling.has(id) || edges.some(({ from }) => outcomes.get(from.node)?.failed);
    const outcome = bindNode({ ...node, edges: boundEdges, guessedInputs, context, fields: fields?.get(id) });
    outcomes.set(id, { ...outcome, failed: outcome.failed || guessedInputs });
  }
  return outcomes;
}

function findSchemas(
  edges: readonly EdgeNode[],
  entry: Entry,
  {
    outcomes,
    guesses,
    context,
  }: {
    outcomes: ReadonlyMap<string, BindOutcome>;
    guesses: ReadonlyMap<EdgeNode, string>;
    context: ReferenceContext;
  },
) {
  const bound: BoundEdge[] = [];
  let missing = false;
  for (const edge of edges) {
    const { from, input, path } = edge;
    const node = guesses.get(edge) ?? from.node;
    const ports: Readonly<Record<string, Schema>> | undefined = outcomes.get(node)?.ports;
    const schema = ports && Object.hasOwn(ports, from.port) ? ports[from.port] : undefined;
    if (schema) {
      bound.push({ input, from: { node, port: from.port }, schema });
      continue;
    }
    missing = true;
    if (!ports) continue;
    const span = context.places.find([...optionsPath(entry), ...path]);
    const data = { node, port: from.port };
    const suggestion = suggestName(from.port, Object.keys(ports), 'ports');
    context.report(makeDiagnostic('MACH1106', { file: context.places.file, span, data, suggestion }));
  }
  return { bound, missing };
}

/** What the topology means, whatever its layout, comments, descriptions and order of keys. */
function hashOf(ir: TopologyNode): string {
  const meaning = {
    version: ir.version,
    name: ir.name,
    nodes: [...ir.sources, ...ir.operators, ...ir.sinks].map(
      ({ span: _span, definitionSpan: _definitionSpan, description: _description, options, ...rest }) => ({
        ...rest,
        options: options.value,
      }),
    ),
  };
  return createHash('sha256').update(canonicalJson(meaning)).digest('hex');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
