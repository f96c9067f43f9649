/** The values that variables may take and those that are chosen. A browser chooses among options; it never brings text for a query. */
import type { ReadBounds, Store } from '../store/store.ts';
import type { Board, Variable } from './board.ts';
import { boardErrors } from './errors.ts';
import { type Globals, interpolate, type VariableValue } from './interpolate.ts';
import { boardLimits } from './limits.ts';
import { expandMacros } from './macros.ts';

export interface Option {
  readonly text: string;
  readonly value: string;
}

/** What the browser says: values by name of the variable; `$__all` for All. */
export type Chosen = Readonly<Record<string, readonly string[]>>;

export const allValue = '$__all';

export interface ChoiceContext {
  readonly board: Board;
  readonly chosen: Chosen;
  readonly globals: Globals;
  read(sql: string): ReturnType<Store['read']>;
}

export const readBounds: ReadBounds = {
  timeSecondsMax: boardLimits.queryTimeSecondsMax,
  rowsMax: boardLimits.queryRowsMax,
  bytesMax: boardLimits.queryBytesMax,
};

/** Resolves variables in the order of the board: each may use those before it. Rejects with MACH3304 on a value that is no option. */
export async function chooseVariables(
  context: ChoiceContext,
  onOptions?: (variable: Variable, options: readonly Option[], value: VariableValue) => void,
): Promise<Map<string, VariableValue>> {
  const resolved = new Map<string, VariableValue>();
  for (const variable of context.board.templating.list) {
    if (variable.type === 'adhoc') continue;
    const options = await optionsOf(variable, context, resolved);
    const value = valueOf(variable, options, context.chosen[variable.name]);
    resolved.set(variable.name, value);
    onOptions?.(variable, options, value);
  }
  return resolved;
}

async function optionsOf(
  variable: Variable,
  context: ChoiceContext,
  before: ReadonlyMap<string, VariableValue>,
): Promise<readonly Option[]> {
  switch (variable.type) {
    case 'query':
      return queryOptions(variable, context, before);
    case 'custom':
    case 'interval':
      return listOptions(variable);
    case 'constant':
    case 'datasource': {
      const text = typeof variable.query === 'string' ? variable.query : '';
      return [{ text, value: text }];
    }
    default:
      return [];
  }
}

async function queryOptions(
  variable: Variable,
  { read, globals }: ChoiceContext,
  before: ReadonlyMap<string, VariableValue>,
): Promise<Option[]> {
  const { query } = variable;
  const sql = typeof query === 'string' ? query : (query as { rawSql?: string } | undefined)?.rawSql;
  if (!sql) return [];
  const isAll = (name: string) => before.get(name)?.isAll === true;
  const { columns, rows } = await read(interpolate(expandMacros(sql, { ...globals, isAll }), before, globals));
  const at = (name: string, otherwise: number) => {
    const index = columns.findIndex((column) => column.name === name);
    return index < 0 ? otherwise : index;
  };
  const value = at('__value', 0);
  const text = at('__text', columns.length > 1 ? 1 : 0);
  const options = rows.map((row) => ({ text: String(row[text] ?? ''), value: String(row[value] ?? '') }));
  return options.slice(0, boardLimits.optionsMax);
}

/** `1m,5m` or `Khẩn cấp : high, Khác : low`; a comma that belongs to a text is written `\,`. */
function listOptions({ query, options }: Variable): Option[] {
  if (typeof query !== 'string') {
    return (options ?? []).flatMap(({ text, value }) =>
      typeof value === 'string' && value !== allValue ? [{ text: String(text ?? value), value }] : [],
    );
  }
  return query
    .split(/(?<!\\),/)
    .map((one) => one.trim().replaceAll('\\,', ','))
    .filter((one) => one !== '')
    .map((one) => {
      const [, text, value] = /^(.+?)\s:\s(.+)$/.exec(one) ?? [];
      return text !== undefined && value !== undefined ? { text, value } : { text: one, value: one };
    });
}

function valueOf(variable: Variable, options: readonly Option[], asked: readonly string[] | undefined): VariableValue {
  const { name, type } = variable;
  const isMulti = variable.multi === true;
  const given = asked ?? currentOf(variable, options);
  if (given.length > boardLimits.valuesMax) throw refused(`more than ${boardLimits.valuesMax} values of ${name}`);
  if (type === 'textbox') {
    const values = asked ? given : [typeof variable.query === 'string' ? variable.query : ''];
    if (values.some((one) => one.length > boardLimits.valueLengthMax)) throw refused(`the text of ${name} is too long`);
    return { values, isAll: false, isMulti: false, isFreeText: true };
  }
  if (given.includes(allValue)) {
    if (!variable.includeAll) throw refused(`variable ${name} has no "All"`);
    const all = options.map(({ value }) => value);
    return { values: all, isAll: true, allValue: variable.allValue ?? undefined, isMulti, isFreeText: false };
  }
  const known = new Set(options.map(({ value }) => value));
  const strange = given.find((one) => !known.has(one));
  if (asked && strange !== undefined) throw refused(`"${strange.slice(0, 80)}" is no option of variable ${name}`);
  if (given.length > 1 && !isMulti) throw refused(`variable ${name} takes one value`);
  const kept = given.filter((one) => known.has(one));
  const [first] = options;
  return { values: kept.length === 0 && first ? [first.value] : kept, isAll: false, isMulti, isFreeText: false };
}

/** What the board chooses; the first option where that is not one. */
function currentOf({ current, includeAll }: Variable, options: readonly Option[]): string[] {
  const { value } = current ?? {};
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (includeAll && (values.length === 0 || values.includes(allValue))) return [allValue];
  return values.length > 0 ? values : options.slice(0, 1).map((one) => one.value);
}

const refused = (reason: string) => boardErrors.make('MACH3304', { reason });
