/** A query of a board as the ClickHouse plugin would send it: macros and variables filled in. */

export interface Range {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface ExpandOptions extends Range {
  readonly intervalMs: number;
  /** Chosen values by name; a variable that is not named stands for All. */
  readonly chosen?: Readonly<Record<string, readonly string[]>>;
}

const quote = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const instant = (ms: number) => `toDateTime(${Math.floor(ms / 1_000)})`;
const instantMs = (ms: number) => `fromUnixTimestamp64Milli(${Math.floor(ms)})`;

type Macro = (options: ExpandOptions, args: readonly string[]) => string;

/** Of the plugin's macros those that boards and alert rules use. */
const macros: Readonly<Record<string, Macro>> = {
  fromTime: ({ from }) => instant(from),
  toTime: ({ to }) => instant(to),
  timeFilter_ms: ({ from, to }, [column]) => `${column} >= ${instantMs(from)} AND ${column} <= ${instantMs(to)}`,
  timeInterval_ms: ({ intervalMs }, [column]) =>
    `toStartOfInterval(toDateTime64(${column}, 3), INTERVAL ${intervalMs} millisecond)`,
  interval_s: ({ intervalMs }) => String(Math.max(1, Math.floor(intervalMs / 1_000))),
  conditionalAll: ({ chosen = {} }, [condition = '', variable = '']) => (chosen[variable.slice(1)] ? condition : '1=1'),
};

/** Throws on a macro or variable that is not known here. */
export function expandQuery(sql: string, options: ExpandOptions): string {
  const expanded = expandMacros(sql, options).replace(/\$\{(\w+):singlequote\}/g, (_all, name: string) => {
    const values = options.chosen?.[name];
    if (!values) throw new Error(`the variable ${name} stands outside of $__conditionalAll`);
    return values.map(quote).join(',');
  });
  const left = /\$\{?\w+/.exec(expanded)?.[0];
  if (left) throw new Error(`${left} is left in the query`);
  return expanded;
}

function expandMacros(sql: string, options: ExpandOptions): string {
  const match = /\$__(\w+)/.exec(sql);
  if (!match) return sql;
  const macro = macros[match[1] as string];
  if (!macro) throw new Error(`the boards use no macro $__${match[1]}`);
  const end = match.index + match[0].length;
  const { args, rest } = sql[end] === '(' ? argumentsAt(sql, end) : { args: [], rest: end };
  return sql.slice(0, match.index) + macro(options, args) + expandMacros(sql.slice(rest), options);
}

function argumentsAt(sql: string, open: number): { args: string[]; rest: number } {
  const args: string[] = [];
  let depth = 0;
  let begin = open + 1;
  for (let at = open; at < sql.length; at++) {
    const sign = sql[at];
    if (sign === '(') depth++;
    if (sign === ')') depth--;
    if (depth === 0 || (depth === 1 && sign === ',')) {
      args.push(sql.slice(begin, at).trim());
      begin = at + 1;
    }
    if (depth === 0) return { args, rest: at + 1 };
  }
  throw new Error(`a bracket is not closed: ${sql.slice(open, open + 60)}`);
}
