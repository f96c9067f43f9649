/** Finds sequences of events of one key: what must follow what, how often, and in what time. */
import {
  type Checker,
  type CompiledExpression,
  computedField,
  cutByKey,
  defineOperator,
  eventExtender,
  type Field,
  type Fields,
  field,
  heldKeys,
  limits,
  type Schema,
  spreadByKey,
  tagged,
} from '../../runtime/stream/index.ts';
import { cellKind } from '../aggregate/cell.ts';
import { describeKey } from '../support/state-key.ts';
import { candidatesOf } from './candidates.ts';
import { examples } from './examples.ts';
import { PatternHandler } from './handler.ts';
import { type PatternOptions, patternOptions } from './options.ts';
import type { GoOn, PatternProgram, Step } from './program.ts';
import { numberRuns } from './run.ts';
import { oneListMigration, patternBasis, patternStateVersion } from './state.ts';

/** Of a key with one event that has begun a match. */
const bytesPerKey = 280;
const nothing: Schema = { fields: {} };
const addedFields: Fields = {
  match_start: field.timestamp({ description: 'time of the first event' }),
  match_end: field.timestamp({ description: 'time of the last event' }),
};

export const pattern = defineOperator({
  name: 'pattern',
  status: 'stable',
  summary:
    'Finds sequences of events of a key, in the order of their times: steps that must follow one another, each once or several times, within a time.',
  options: patternOptions,
  examples,
  state: {
    version: patternStateVersion,
    basis: ({ options, inputs }) => patternBasis(options, inputs.from?.schema),
    migrations: [oneListMigration],
  },
  bind({ options, inputs, check }) {
    const schema = inputs.from?.schema ?? nothing;
    const { values, within } = options;
    const key = check.fields('key', schema);
    const names = checkNames(options, schema, check);
    const compiled = compileSteps(options, schema, check);
    const keySchema: Schema = { fields: pick(schema.fields, key) };
    const variables = variablesOf(schema, compiled);
    const results = Object.keys(values).map((name) => {
      if (key.includes(name) || name in addedFields)
        check.problem(['values', name], `"${name}" is a field that every match has`, 'choose another name');
      return { name, value: check.expression(['values', name], keySchema, 'any', variables) };
    });
    const fields: Record<string, Field> = { ...keySchema.fields, ...addedFields };
    for (const { name, value } of results) fields[name] = computedField(value);
    const program: PatternProgram = {
      steps: compiled.map(({ step }) => step),
      candidates: candidatesOf(compiled.map(({ step }) => step)),
      withinMs: within ?? Number.POSITIVE_INFINITY,
      goOn: goOnOf(options, names, check),
      keys: heldKeys(key),
      keysMax: options.keys ?? limits.stateKeysMax,
      describeKey: (event) => describeKey(event, key, schema),
      toEvent: eventMaker(key, results),
    };
    return {
      ports: { out: { fields } },
      key,
      spread: spreadByKey({ from: key }, key),
      // What expressions read of the events of a step stands behind its name.
      reads: () => wordsOf(options),
      cut: cutByKey({ shared: ['progress'], complete: numberRuns }),
      stateful: true,
      stateBytesPerKey: { 'a match that is not decided': bytesPerKey },
      create: (context) => new PatternHandler(program, context, bytesPerKey),
    };
  },
});

interface Result {
  readonly name: string;
  readonly value: CompiledExpression;
}

function eventMaker(key: readonly string[], results: readonly Result[]): PatternProgram['toEvent'] {
  const extend = eventExtender(key, [...Object.keys(addedFields), ...results.map(({ name }) => name)]);
  // One list for all events: it is read at once.
  const values: unknown[] = [];
  return ({ first, start, end, variables }) => {
    values[0] = start;
    values[1] = end;
    for (let at = 0; at < results.length; at++)
      values[at + 2] = (results[at] as Result).value.evaluate(first, variables);
    return extend(first, values);
  };
}

/** Before the first event of a step these totals are 0, the others null. */
const zeroOfNothing = ['count', 'sum', 'distinct', 'approx_distinct'];

interface CompiledStep {
  readonly step: Step;
  /** Of its totals. */
  readonly fields: Fields;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]]] : [])));
}

const ownNames = ['first', 'last', 'count'];

/** Steps by name; a name that means something already is a problem. */
function checkNames({ steps }: PatternOptions, schema: Schema, check: Checker): readonly string[] {
  const names = steps.map(({ name }) => name);
  for (const [index, { name, totals }] of steps.entries()) {
    if (names.indexOf(name) < index) check.problem(['steps', index, 'name'], `there is a step "${name}" already`);
    if (name in schema.fields || name === 'event' || name === 'previous')
      check.problem(['steps', index, 'name'], `"${name}" means something else in expressions`, 'choose another name');
    for (const total of Object.keys(totals)) {
      if (ownNames.includes(total))
        check.problem(['steps', index, 'totals', total], `every step has "${total}"`, 'choose another name');
    }
  }
  if (steps.every(({ times }) => times.min === 0))
    check.problem('steps', 'nothing at all would be a match', 'one step at least takes an event');
  return names;
}

function compileSteps({ steps }: PatternOptions, schema: Schema, check: Checker): CompiledStep[] {
  const totals = steps.map((step, index) =>
    Object.keys(step.totals).map((name) => ({
      name,
      aggregate: check.aggregate(['steps', index, 'totals', name], schema),
    })),
  );
  const fields = totals.map((list): Fields => {
    const named = list.map(({ name, aggregate: { call, type, privacy } }): [string, Field] => [
      name,
      { type, ...(!zeroOfNothing.includes(call) && { nullable: true }), ...tagged(privacy) },
    ]);
    return Object.fromEntries(named);
  });
  const variables = variablesOf(
    schema,
    steps.map(({ name }, index) => ({ step: { name }, fields: fields[index] as Fields })),
  );
  return steps.map((given, index) => {
    const list = totals[index] ?? [];
    const condition = (option: 'when' | 'until') =>
      given[option] === undefined ? undefined : check.expression(['steps', index, option], schema, 'bool', variables);
    const step: Step = {
      name: given.name,
      ...given.times,
      shortest: given.prefer === 'shortest',
      later: given.follows === 'later',
      when: condition('when'),
      until: condition('until'),
      totals:
        list.length === 0
          ? undefined
          : { names: list.map(({ name }) => name), kind: cellKind(list.map(({ aggregate }) => aggregate)) },
      mayBeLast: steps.slice(index + 1).every(({ times }) => times.min === 0),
    };
    return { step, fields: fields[index] as Fields };
  });
}

/** What expressions may name beside the fields of the event. */
function variablesOf(
  schema: Schema,
  steps: readonly { readonly step: Pick<Step, 'name'>; readonly fields: Fields }[],
): Record<string, Field> {
  const event: Field = { type: { kind: 'record', fields: schema.fields }, nullable: true };
  const variables: Record<string, Field> = { previous: event };
  for (const { step, fields } of steps) {
    const own: Fields = { first: event, last: event, count: { type: { kind: 'int' } }, ...fields };
    variables[step.name] = { type: { kind: 'record', fields: own } };
  }
  return variables;
}

function goOnOf({ go_on: given }: PatternOptions, names: readonly string[], check: Checker): GoOn {
  if (typeof given === 'string') return { kind: given };
  const [kind, name] =
    'at_first' in given ? (['at_first', given.at_first] as const) : (['at_last', given.at_last] as const);
  const step = names.indexOf(name);
  if (step < 0) check.problem(['go_on', kind], `there is no step "${name}"`, `the steps are ${names.join(', ')}`);
  return { kind, step: Math.max(0, step) };
}

/** Every word that stands in an expression: some of them are fields. */
function wordsOf({ steps, values }: PatternOptions): string[] {
  const texts = steps.flatMap(({ when, until, totals }) => [when ?? '', until ?? '', ...Object.values(totals)]);
  return [...texts, ...Object.values(values)].flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []);
}
