/** Fills in variables as Grafana does: `$name`, `${name}`, `${name:format}`, `[[name]]`; and Grafana's own of the time range. */
import { formatDuration } from '../stream/options.ts';
import { boardErrors } from './errors.ts';

export interface VariableValue {
  /** Chosen values; several where the variable is `multi`. */
  readonly values: readonly string[];
  /** "All" is chosen; then `values` are all options, unless the board says what All stands for. */
  readonly isAll: boolean;
  /** Text that stands for All, as the board says it. */
  readonly allValue?: string | undefined;
  readonly isMulti: boolean;
  /** The text was typed by someone: it goes into a query as a quoted text only. */
  readonly isFreeText: boolean;
}

export interface Globals {
  readonly from: number;
  readonly to: number;
  readonly intervalMs: number;
}

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const formats: Readonly<Record<string, (values: readonly string[]) => string>> = {
  sqlstring: (values) => values.map(quote).join(','),
  singlequote: (values) => values.map(quote).join(','),
  doublequote: (values) => values.map((one) => `"${one.replaceAll('"', '\\"')}"`).join(','),
  csv: (values) => values.join(','),
  pipe: (values) => values.join('|'),
  raw: (values) => (values.length === 1 ? (values[0] as string) : `{${values.join(',')}}`),
  text: (values) => values.join(' + '),
};

const reference = /\$\{(\w+)(?:\.\w+)?(?::([\w:]+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g;

/** Throws MACH3303 on a variable that is not there, and on a typed text that would stand in the query unquoted. */
export function interpolate(
  text: string,
  variables: ReadonlyMap<string, VariableValue>,
  globals: Globals,
  { unknown = 'refuse' }: { readonly unknown?: 'refuse' | 'keep' } = {},
): string {
  return text.replace(reference, (whole, braced, bracedFormat, bracketed, bracketedFormat, plain) => {
    const name = (braced ?? bracketed ?? plain) as string;
    const format = (bracedFormat ?? bracketedFormat) as string | undefined;
    const own = globalValue(name, format, globals);
    if (own !== undefined) return own;
    const variable = variables.get(name);
    if (variable) return variableText(name, variable, format);
    // `$1` of a pattern is no variable.
    if (unknown === 'keep' || /^\d/.test(name)) return whole;
    throw wrong(`there is no variable ${name}`);
  });
}

function variableText(name: string, variable: VariableValue, format: string | undefined): string {
  if (variable.isAll && variable.allValue) return variable.allValue;
  // The plugin quotes each of several values unless a format is given.
  const used = format ?? (variable.isMulti || variable.isAll ? 'singlequote' : 'raw');
  const write = formats[used];
  if (!write) throw wrong(`the format "${used}" of variable ${name} is not known`);
  if (variable.isFreeText && used !== 'sqlstring' && used !== 'singlequote') {
    throw wrong(`variable ${name} is typed by hand and must be written \${${name}:sqlstring}`);
  }
  return write(variable.values);
}

function globalValue(name: string, format: string | undefined, globals: Globals): string | undefined {
  const { from, to, intervalMs } = globals;
  switch (name) {
    case '__from':
      return instant(from, format);
    case '__to':
      return instant(to, format);
    case '__interval':
      return formatDuration(intervalMs);
    case '__interval_ms':
      return String(intervalMs);
    case '__range':
      return `${Math.round((to - from) / 1_000)}s`;
    case '__range_s':
      return String(Math.round((to - from) / 1_000));
    case '__range_ms':
      return String(to - from);
    case '__timezone':
      return 'Asia/Ho_Chi_Minh';
    default:
      return undefined;
  }
}

function instant(ms: number, format: string | undefined): string {
  if (format === undefined) return String(ms);
  if (format === 'date' || format === 'date:iso') return new Date(ms).toISOString();
  if (format === 'date:seconds') return String(Math.floor(ms / 1_000));
  throw wrong(`the format "${format}" of a time is not known`);
}

const wrong = (reason: string) => boardErrors.make('MACH3303', { reason });
