/** The best few by an expression: of each window, or of all that is known now. */
import { z } from 'zod';
import {
  type BoundOperator,
  type Checker,
  type CompiledExpression,
  columnValues,
  cutByKey,
  defineOperator,
  duration,
  eventExtender,
  eventKey,
  expression,
  type Field,
  heldKeys,
  input,
  key,
  limits,
  type OptionPath,
  type Schema,
  spreadByKey,
} from '../../runtime/stream/index.ts';
import { eventsBasis, expressionBasis, fieldsBasis } from '../support/state-basis.ts';
import { examples } from './examples.ts';
import { RankingHandler, type TopSetting } from './handler.ts';
import { topLimits } from './limits.ts';
import { RankedRows } from './rows-handler.ts';
import { topMigrations, topStateVersion } from './state.ts';

const bytesPerThing = 240;

const options = z.strictObject({
  from: input(),
  by: expression().describe(
    'what is compared: a number, a time or a text; an event for which it is null is not ranked',
  ),
  order: z.enum(['desc', 'asc']).default('desc').describe('desc: the largest first'),
  then_by: z
    .array(z.strictObject({ by: expression(), order: z.enum(['desc', 'asc']).default('desc') }))
    .min(1)
    .max(topLimits.thenByMax)
    .optional()
    .describe(
      'decides between equals, one after the other; what is equal in all is ranked in the order in which it came',
    ),
  ties: z
    .enum(['first', 'all'])
    .optional()
    .describe('all: everything equal to the last one shown is shown as well, and equals have one rank (first)'),
  rows: z.int().positive().max(topLimits.rowsMax).meta({ decides: true }).default(10).describe('length of the ranking'),
  key: key().optional().describe('field or fields; each key has a ranking of its own'),
  of: key()
    .optional()
    .describe('field or fields that name a thing, of which only the newest event counts; absent: every event counts'),
  window: z
    .strictObject({
      tumbling: duration().describe('size of the windows'),
      offset: duration().default(0).describe('shifts the start of windows'),
      lateness: duration().default(0).describe('rankings of closed windows are corrected by late events for this long'),
    })
    .optional()
    .describe('a ranking for each window; absent: one ranking of all that is known, given when it has changed'),
  every: duration()
    .default(1_000)
    .describe(
      'without `window`: a changed ranking is given at most this often in event time, with the whole step that has come: newer events may stand in it',
    ),
  forget: duration()
    .optional()
    .describe('without `window`: a thing, or without `of` a whole ranking, not heard of for this long is forgotten'),
  keys: z.int().positive().optional().describe('most keys held; an event with one more is dead'),
});

export const top = defineOperator({
  name: 'top',
  status: 'stable',
  summary: 'Ranks events, or the things they are about, and gives the best few of each window or whenever they change.',
  options,
  examples,
  state: {
    version: topStateVersion,
    basis: ({ options: { by, order, then_by, ties, key: keyFields, of, window, rows }, inputs }) => ({
      by: expressionBasis(by, inputs.from?.schema),
      ...(then_by && { between: then_by.map((one) => ({ ...one, by: expressionBasis(one.by, inputs.from?.schema) })) }),
      ...(ties === 'all' && { ties }),
      // Where every event counts, only as many are kept as are shown.
      kept: of ? null : { rows, order },
      key: fieldsBasis(keyFields ?? [], inputs.from?.schema),
      of: of ? fieldsBasis(of, inputs.from?.schema) : null,
      window: window ?? null,
      event: eventsBasis(inputs.from?.schema),
    }),
    migrations: topMigrations,
  },
  bind({ options: given, inputs, check }) {
    const schema = inputs.from?.schema ?? { fields: {} };
    const { window, key: keyFields = [], of, rows } = given;
    check.fields('key', schema);
    check.fields('of', schema);
    const by = rankable('by', schema, check);
    const then = (given.then_by ?? []).map((_, index) => rankable(['then_by', index, 'by'], schema, check));
    checkTimes(given, check);
    const added = addedFields(window !== undefined);
    for (const name of Object.keys(added)) {
      if (Object.hasOwn(schema.fields, name))
        check.problem(['from'], `its field "${name}" is one that rankings have themselves`, 'rename it with map');
    }
    const scores = then.map(scoreFunction);
    const setting: TopSetting = {
      rule: {
        rows,
        ascending: given.order === 'asc',
        between: (given.then_by ?? []).map(({ order }) => order === 'asc'),
        allTies: given.ties === 'all',
      },
      keyOf: eventKey(keyFields),
      thingOf: of && eventKey(of),
      scoreOf: scoreFunction(by),
      betweenOf: scores.length === 0 ? undefined : (event) => scores.map((scoreOf) => scoreOf(event)),
      window: window && { sizeMs: window.tumbling, offsetMs: window.offset, latenessMs: window.lateness },
      everyMs: given.every,
      forgetMs: given.forget,
      keysMax: given.keys ?? limits.stateKeysMax,
      rowOf: eventExtender(Object.keys(schema.fields), Object.keys(added)),
    };
    return {
      ports: { out: { fields: { ...added, ...schema.fields } } satisfies Schema },
      key: keyFields,
      spread: spreadByKey({ from: keyFields }, keyFields),
      reads: (wanted) => wanted,
      cut: cutByKey(),
      stateful: true,
      stateBytesPerKey: { [of ? 'each thing' : 'a ranking']: of ? bytesPerThing : rows * bytesPerThing },
      ...creatorOf(setting, { by, fields: Object.keys(schema.fields), key: keyFields, added: Object.keys(added) }),
    };
  },
});

function checkTimes({ window, every, forget, of }: z.output<typeof options>, check: Checker): void {
  if (window && !(Number.isInteger(window.tumbling) && window.tumbling >= 1))
    check.problem(['window', 'tumbling'], 'a window is at least 1ms, in whole ms');
  if (!(Number.isInteger(every) && every >= 1)) check.problem(['every'], 'the time is at least 1ms, in whole ms');
  if (forget !== undefined && window)
    check.problem(['forget'], 'windows forget by themselves', 'take one of the two out');
  if (!of && forget !== undefined && forget < every)
    check.problem(['forget'], 'a ranking would be forgotten before it is given', 'make it longer than `every`');
}

function addedFields(windowed: boolean): Record<string, Field> {
  const rank: Field = { type: { kind: 'int' }, description: '1 for the best' };
  const time: Field['type'] = { kind: 'timestamp' };
  if (!windowed) return { ranked_at: { type: time, description: 'since when the ranking is this' }, rank };
  return {
    ranking_start: { type: time, description: 'the ranking is of events from this time on' },
    ranking_end: { type: time, description: 'and up to this time, itself not in it' },
    ranking_revision: { type: { kind: 'int' }, description: '0 the first, then one more for each correction' },
    rank,
  };
}

/** Numbers of which one ranking is known, and nothing is forgotten, are ranked as rows; everything else as objects. */
function creatorOf(
  setting: TopSetting,
  { by, fields, key, added }: Record<'fields' | 'key' | 'added', readonly string[]> & { by: CompiledExpression },
): Pick<BoundOperator, 'create' | 'readsColumns'> {
  const { rule, window, thingOf, forgetMs, scoreOf, everyMs, keysMax } = setting;
  const { rows, ascending, between, allTies } = rule;
  const areNumbers = ['int', 'float', 'duration', 'timestamp'].includes(by.type.kind);
  const isPlain = !window && !thingOf && forgetMs === undefined && between.length === 0 && !allTies;
  if (!areNumbers || !isPlain || rows > topLimits.roomyRowsMax)
    return { create: (context) => new RankingHandler(context, setting) };
  const scoresOf = columnValues(by);
  const keys = heldKeys(key);
  const plain = { rows, ascending, keys, scoreOf, scoresOf, everyMs, keysMax, fields, added };
  return { readsColumns: scoresOf !== undefined, create: (context) => new RankedRows(context, plain) };
}

/** An expression whose values can be compared. */
function rankable(path: OptionPath, schema: Schema, check: Checker): CompiledExpression {
  const compiled = check.expression(path, schema, 'any');
  if (!['int', 'float', 'duration', 'timestamp', 'string', 'json'].includes(compiled.type.kind))
    check.problem(path, `a ${compiled.type.kind} cannot be ranked`, 'rank by a number, a time, a duration or a text');
  return compiled;
}

/** Json may turn out to be anything: what cannot be compared has no score. */
function scoreFunction(expression: CompiledExpression): TopSetting['scoreOf'] {
  return (event) => {
    const value = expression.evaluate(event);
    return typeof value === 'number' || typeof value === 'string' ? value : null;
  };
}
