/** Answers of the store as columns, with the configuration of each, and Grafana's transformations that boards use. */
import type { FieldConfig, PanelForm, Transformation } from './panel-form.ts';

export interface AnsweredFrame {
  readonly refId: string;
  readonly format: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Kind = 'time' | 'number' | 'boolean' | 'string';

export interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** Times are ms since the epoch. */
  readonly values: readonly unknown[];
  readonly config: FieldConfig;
  readonly refId: string;
}

export interface Table {
  readonly refId: string;
  readonly format: number;
  readonly columns: readonly Column[];
  readonly length: number;
}

/** Of a type of ClickHouse, wrapped in Nullable or LowCardinality or not. */
export function kindOf(type: string): Kind {
  const bare = type.replace(/^(?:(?:Nullable|LowCardinality)\()+/, '');
  if (/^(?:DateTime|Date\b|Date32)/.test(bare)) return 'time';
  if (/^(?:U?Int|Float|Decimal|BFloat)/.test(bare)) return 'number';
  return bare.startsWith('Bool') ? 'boolean' : 'string';
}

function valueOf(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined) return null;
  if (kind === 'time') return typeof value === 'number' ? value : Date.parse(String(value));
  if (kind === 'number') return Number(value);
  if (kind === 'boolean') return value === true || value === 1;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function tablesOf(panel: PanelForm, frames: readonly AnsweredFrame[]): Table[] {
  const bare = frames.map(({ refId, format, columns, rows }): Table => {
    const made = columns.map(({ name, type }, index): Column => {
      const kind = kindOf(type);
      return { name, kind, refId, config: {}, values: rows.map((row) => valueOf(row[index], kind)) };
    });
    return { refId, format, columns: made, length: rows.length };
  });
  return transform(bare, panel.transformations ?? []).map((table) => ({
    ...table,
    columns: table.columns.map((column) => ({ ...column, config: configOf(panel, column) })),
  }));
}

function transform(tables: readonly Table[], transformations: readonly Transformation[]): readonly Table[] {
  let result = tables;
  for (const { id, disabled, options = {} } of transformations) {
    if (disabled) continue;
    if (id === 'organize') result = result.map((table) => organize(table, options));
    else if (id === 'merge' || id === 'concatenate') result = [concatenate(result)];
    else throw new Error(`the preview does not know the transformation "${id}"`);
  }
  return result;
}

function organize(table: Table, options: Readonly<Record<string, unknown>>): Table {
  const hidden = (options.excludeByName ?? {}) as Readonly<Record<string, boolean>>;
  const order = (options.indexByName ?? {}) as Readonly<Record<string, number>>;
  const names = (options.renameByName ?? {}) as Readonly<Record<string, string>>;
  const columns = table.columns
    .filter(({ name }) => hidden[name] !== true)
    .map((column, index) => ({ column, index: order[column.name] ?? index }))
    .sort((one, other) => one.index - other.index)
    .map(({ column }) => ({ ...column, name: names[column.name] || column.name }));
  return { ...table, columns };
}

/** Tables side by side, as long as the longest. */
function concatenate(tables: readonly Table[]): Table {
  const length = Math.max(0, ...tables.map((one) => one.length));
  const padded = (values: readonly unknown[]) => Array.from({ length }, (_, index) => values[index] ?? null);
  const columns = tables.flatMap((one) => one.columns.map((column) => ({ ...column, values: padded(column.values) })));
  return { refId: tables[0]?.refId ?? 'A', format: 1, columns, length };
}

/** Defaults of the panel with the overrides that are meant for the column, later ones last. */
export function configOf(panel: PanelForm, column: Pick<Column, 'name' | 'kind' | 'refId'>): FieldConfig {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const config: Record<string, unknown> = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides) {
    if (!matches(matcher, column)) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.'))
        setPath(config.custom as Record<string, unknown>, id.slice('custom.'.length), value);
      else config[id] = value;
    }
  }
  return config as FieldConfig;
}

function setPath(object: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    object[first] = value;
    return;
  }
  const inner = { ...(object[first] as Record<string, unknown> | undefined) };
  setPath(inner, rest.join('.'), value);
  object[first] = inner;
}

function matches(
  { id, options }: { id: string; options?: unknown },
  { name, kind, refId }: Pick<Column, 'name' | 'kind' | 'refId'>,
): boolean {
  switch (id) {
    case 'byName':
      return options === name;
    case 'byNames':
      return ((options as { names?: string[] } | undefined)?.names ?? []).includes(name);
    case 'byRegexp':
      return patternOf(String(options)).test(name);
    case 'byType':
      return options === kind;
    case 'byFrameRefID':
      return options === refId;
    default:
      return false;
  }
}

/** `/^a/i` or the bare pattern. */
export function patternOf(text: string): RegExp {
  const [, body, flags] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  return body === undefined ? new RegExp(text) : new RegExp(body, flags);
}

export function columnNamed(table: Table, name: string | undefined): Column | undefined {
  return name === undefined ? undefined : table.columns.find((column) => column.name === name);
}

export const isHidden = ({ config }: Column) => config.custom?.hidden === true;
