/**
 * The macros of Grafana's ClickHouse plugin (grafana/clickhouse-datasource, pkg/macros), expanded as the plugin does. `$__conditionalAll`
 * is expanded in Grafana's browser part; here with the others.
 */
import { boardErrors } from './errors.ts';

export interface MacroContext {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Width of a bucket. */
  readonly intervalMs: number;
  /** Whether "All" is chosen for a variable. */
  isAll(variable: string): boolean;
}

type Macro = (context: MacroContext, args: readonly string[]) => string;

const seconds = (ms: number) => Math.floor(ms / 1_000);
const dateTime = (ms: number) => `toDateTime(${seconds(ms)})`;
const dateTime64 = (ms: number) => `fromUnixTimestamp64Milli(${Math.floor(ms)})`;
const date = (ms: number) => `toDate('${new Date(ms).toISOString().slice(0, 10)}')`;
const between = (column: string, of: (ms: number) => string, { from, to }: MacroContext) =>
  `${column} >= ${of(from)} AND ${column} <= ${of(to)}`;
const intervalSeconds = ({ intervalMs }: MacroContext) => Math.max(seconds(intervalMs), 1);

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `5m` as seconds. */
function durationSeconds(text: string): number {
  const [, count, unit = ''] = /^'?(\d+)\s*([smhdw])'?$/.exec(text.trim()) ?? [];
  const unitInSeconds = unitSeconds[unit];
  if (count === undefined || unitInSeconds === undefined) throw wrong(`"${text}" is not a duration such as 5m`);
  return Number(count) * unitInSeconds;
}

const dateTimeFilter: Macro = (context, [day = '', time = '']) =>
  `(${between(day, date, context)}) AND (${between(time, dateTime, context)})`;

const macros: Readonly<Record<string, { readonly args: number; readonly expand: Macro }>> = {
  fromTime: { args: 0, expand: ({ from }) => dateTime(from) },
  toTime: { args: 0, expand: ({ to }) => dateTime(to) },
  fromTime_ms: { args: 0, expand: ({ from }) => dateTime64(from) },
  toTime_ms: { args: 0, expand: ({ to }) => dateTime64(to) },
  timeFrom: { args: 0, expand: ({ from }) => dateTime(from) },
  timeTo: { args: 0, expand: ({ to }) => dateTime(to) },
  timeFilter: { args: 1, expand: (context, [column = '']) => between(column, dateTime, context) },
  timeFilter_ms: { args: 1, expand: (context, [column = '']) => between(column, dateTime64, context) },
  dateFilter: { args: 1, expand: (context, [column = '']) => between(column, date, context) },
  dateTimeFilter: { args: 2, expand: dateTimeFilter },
  dt: { args: 2, expand: dateTimeFilter },
  timeInterval: {
    args: 1,
    expand: (context, [column]) =>
      `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalSeconds(context)} second)`,
  },
  timeInterval_ms: {
    args: 1,
    expand: ({ intervalMs }, [column]) =>
      `toStartOfInterval(toDateTime64(${column}, 3), INTERVAL ${Math.max(Math.floor(intervalMs), 1)} millisecond)`,
  },
  timeGroup: {
    args: 2,
    expand: (_, [column, every = '']) =>
      `toStartOfInterval(toDateTime(${column}), INTERVAL ${durationSeconds(every)} second)`,
  },
  interval_s: { args: 0, expand: (context) => String(intervalSeconds(context)) },
  conditionalAll: {
    args: 2,
    expand: ({ isAll }, [condition = '', variable = '']) =>
      isAll(variable.replace(/^\$\{?/, '').replace(/[:}].*$/, '')) ? '1=1' : condition,
  },
};

const wrong = (reason: string) => boardErrors.make('MACH3303', { reason });

/** Names of the macros that stand for one expression, for those who check boards. */
export const macroNames: readonly string[] = Object.keys(macros);

/** Grafana's own variables begin with `$__` as well; they are filled in with the other variables. */
const globals = new Set(['interval', 'interval_ms', 'from', 'to', 'timezone', 'range_s', 'range_ms', 'range']);

/** Expands every macro. Throws MACH3303 on one that is not known or has the wrong number of arguments. */
export function expandMacros(sql: string, context: MacroContext): string {
  const start = /\$__(\w+)/g;
  let expanded = '';
  let done = 0;
  for (let match = start.exec(sql); match; match = start.exec(sql)) {
    const name = match[1] as string;
    if (globals.has(name)) continue;
    const macro = macros[name];
    if (!macro) throw wrong(`there is no macro $__${name}`);
    const end = match.index + match[0].length;
    const list = sql[end] === '(' ? argumentsAt(sql, end) : { args: [], end };
    // `$__toTime()` and `$__toTime` are the same.
    const args = list.args.length === 1 && list.args[0] === '' ? [] : list.args;
    if (args.length !== macro.args) {
      throw wrong(`$__${name} takes ${macro.args} arguments, and has ${args.length}`);
    }
    const inner = args.map((one) => expandMacros(one, context));
    expanded += sql.slice(done, match.index) + macro.expand(context, inner);
    done = list.end;
    start.lastIndex = list.end;
  }
  return expanded + sql.slice(done);
}

/** Arguments of the brackets that open at a place; commas inside brackets and quotes do not count. */
function argumentsAt(sql: string, open: number): { args: string[]; end: number } {
  const args: string[] = [];
  let depth = 0;
  let begin = open + 1;
  for (let at = open; at < sql.length; at++) {
    const sign = sql[at];
    if (sign === "'" || sign === '"' || sign === '`') {
      at = closingQuote(sql, at);
    } else if (sign === '(' || sign === '[') {
      depth++;
    } else if (sign === ')' || sign === ']') {
      depth--;
      if (depth === 0) {
        args.push(sql.slice(begin, at).trim());
        return { args, end: at + 1 };
      }
    } else if (sign === ',' && depth === 1) {
      args.push(sql.slice(begin, at).trim());
      begin = at + 1;
    }
  }
  throw wrong('a bracket of a macro is not closed');
}

function closingQuote(sql: string, open: number): number {
  for (let at = open + 1; at < sql.length; at++) {
    if (sql[at] === '\\') at++;
    else if (sql[at] === sql[open]) return at;
  }
  return sql.length;
}
