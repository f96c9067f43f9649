/** One node bound: its options parsed, its definition's `bind` called with the schemas of its inputs. */
import { MachError, messageOf } from '../errors.ts';
import type { Checker } from '../stream/checker.ts';
import type { BoundInput } from '../stream/definition.ts';
import type { BoundOperator } from '../stream/operator-definition.ts';
import { withTagsOfAll } from '../stream/privacy.ts';
import type { Schema } from '../stream/schema.ts';
import type { BoundSink } from '../stream/sink-definition.ts';
import type { BoundSource } from '../stream/source-definition.ts';
import type { BoundEdge, BoundOperatorNode, BoundSinkNode, BoundSourceNode } from './bound.ts';
import { createChecker } from './checker.ts';
import { type Diagnostic, makeDiagnostic } from './diagnostic.ts';
import { type Entry, optionsPath } from './entry.ts';
import type { ParsedOptions } from './parse-options.ts';
import { operatorPorts } from './ports.ts';
import type { ReferenceContext } from './references.ts';
import type { SourceSettings } from './source-settings.ts';

export type BoundAny = BoundSourceNode | BoundOperatorNode | BoundSinkNode;

export interface BindArgs {
  readonly entry: Entry;
  readonly parsed: ParsedOptions;
  readonly edges: readonly BoundEdge[];
  readonly settings: SourceSettings | undefined;
  /** An input's schema is partly guessed. */
  readonly guessedInputs: boolean;
  readonly context: ReferenceContext;
  /** Of a source that is told which of its fields are read. */
  readonly fields: ReadonlySet<string> | undefined;
}

export interface BindOutcome {
  readonly bound?: BoundAny;
  readonly ports?: Readonly<Record<string, Schema>>;
  readonly failed: boolean;
}

export function bindNode(args: BindArgs): BindOutcome {
  const { entry, parsed, edges, guessedInputs, context } = args;
  let problems = parsed.ignored.length;
  const report = (diagnostic: Diagnostic) => {
    problems++;
    context.report(diagnostic);
  };
  const inputs = Object.fromEntries(
    edges.map(({ input, from, schema }) => [
      input,
      { from: from.port === 'out' ? from.node : `${from.node}.${from.port}`, schema },
    ]),
  );
  const named = new Map<Schema, Set<string>>();
  const check = createChecker({
    places: context.places,
    base: optionsPath(entry),
    filled: parsed.resolved.value,
    parsed: parsed.options,
    substitutions: parsed.resolved.substitutions,
    ignored: parsed.ignored,
    inputs,
    guessedInputs,
    report,
    named(input, fields) {
      const known = named.get(input) ?? new Set();
      for (const name of fields) known.add(name);
      named.set(input, known);
    },
  });
  try {
    const bound = callBind(entry, { ...args, options: parsed.options, inputs, check, named });
    const ports = bound.kind === 'sink' ? {} : bound.ports;
    return { bound, ports, failed: problems > 0 };
  } catch (error) {
    // After a problem was reported, a definition may well trip over the stand-in for it.
    if (problems === 0) report(describeFailure(error, entry, context));
    return { failed: true };
  }
}

interface CallArgs extends Pick<BindArgs, 'edges' | 'settings' | 'fields'> {
  readonly options: unknown;
  readonly inputs: Readonly<Record<string, BoundInput>>;
  readonly check: Checker;
  readonly named: ReadonlyMap<Schema, ReadonlySet<string>>;
}

function callBind(entry: Entry, { options, inputs, check, edges, settings, fields, named }: CallArgs): BoundAny {
  const { id, node } = entry;
  const common = { id, options, ...(node.description !== undefined && { description: node.description }) };
  if (entry.kind === 'source') {
    const whole: BoundSource = entry.definition.bind({ options, check });
    const bound = fields && whole.narrow ? whole.narrow(fields) : whole;
    if (!settings) throw new Error('invariant broken: a source without settings');
    return Object.freeze({
      kind: 'source',
      ...common,
      definition: entry.definition,
      bound,
      ports: bound.ports,
      ...settings,
    });
  }
  if (entry.kind === 'operator') {
    const bound: BoundOperator = entry.definition.bind({ options, inputs, check });
    const ports = operatorPorts(bound, inputs);
    return Object.freeze({
      kind: 'operator',
      ...common,
      definition: entry.definition,
      bound,
      inputs: edges,
      ports,
      fieldsNamed: Object.fromEntries(
        edges.map(({ input, schema }) => [input, named.get(schema) ?? new Set<string>()]),
      ),
    });
  }
  const bound: BoundSink = entry.definition.bind({ options, inputs, check });
  // What one of its inputs tags stands among the same rows.
  const tagged = edges.map((edge) => ({
    ...edge,
    schema: withTagsOfAll([edge.schema, ...edges.map(({ schema }) => schema)]),
  }));
  return Object.freeze({ kind: 'sink', ...common, definition: entry.definition, bound, inputs: tagged });
}

function describeFailure(error: unknown, entry: Entry, { places }: ReferenceContext): Diagnostic {
  const span = places.find(optionsPath(entry), { at: 'key' });
  const data = { definition: entry.definition.name, reason: messageOf(error) };
  const diagnostic = makeDiagnostic('MACH1253', { file: places.file, span, data });
  return error instanceof MachError ? { ...diagnostic, code: error.code, message: error.message } : diagnostic;
}
