/** Columns over time as series: one for each numeric column and each combination of texts beside it (Grafana's "long to wide"). */
import type { FieldConfig } from './panel-form.ts';
import type { Column, Table } from './table.ts';

export interface Series {
  readonly name: string;
  readonly config: FieldConfig;
  readonly refId: string;
  readonly kind: Column['kind'];
  /** One for each time; undefined where there is no row, null where the row says that it is not known. */
  readonly values: readonly (number | string | boolean | null | undefined)[];
}

export interface SeriesSet {
  /** ms since the epoch, rising. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

export function seriesOf(
  tables: readonly Table[],
  nameOf?: (series: { name: string; refId: string }) => FieldConfig,
): SeriesSet {
  const times = new Set<number>();
  const collected = new Map<string, { series: Omit<Series, 'values'>; points: Map<number, unknown> }>();
  for (const table of tables) {
    const time = table.columns.find(({ kind }) => kind === 'time');
    if (!time) continue;
    const labels = table.columns.filter(({ kind }) => kind === 'string');
    const numbers = table.columns.filter(({ kind }) => kind === 'number' || kind === 'boolean');
    // Without a number the texts are the states themselves.
    const valued = numbers.length > 0 ? numbers : labels;
    const told = numbers.length > 0 ? labels : [];
    for (let row = 0; row < table.length; row++) {
      const at = time.values[row] as number | null;
      if (at === null || Number.isNaN(at)) continue;
      times.add(at);
      const label = told.map(({ values }) => String(values[row] ?? '')).join(' ');
      for (const column of valued) {
        const name = label === '' ? column.name : valued.length === 1 ? label : `${label} ${column.name}`;
        const key = `${table.refId} ${name}`;
        let found = collected.get(key);
        if (!found) {
          const config = nameOf ? nameOf({ name, refId: table.refId }) : column.config;
          found = {
            series: {
              name: displayName(name, config),
              config: { ...column.config, ...config },
              refId: table.refId,
              kind: column.kind,
            },
            points: new Map(),
          };
          collected.set(key, found);
        }
        found.points.set(at, column.values[row]);
      }
    }
  }
  const sorted = [...times].sort((one, other) => one - other);
  const series = [...collected.values()].map(({ series: one, points }) => ({
    ...one,
    values: sorted.map((at) => points.get(at) as Series['values'][number]),
  }));
  return { times: sorted, series };
}

export function displayName(name: string, { displayName: shown }: FieldConfig): string {
  if (!shown) return name;
  return shown
    .replace(/\$\{__(?:field|series)\.(?:name|displayName)\}/g, name)
    .replace(/\$\{__field\.labels(?:\.\w+)?\}/g, name);
}

export type Calculation = (values: readonly unknown[]) => unknown;

const present = (values: readonly unknown[]) =>
  values.filter((one): one is number => typeof one === 'number' && !Number.isNaN(one));

/** By the names that Grafana gives them. */
export const calculations: Readonly<Record<string, Calculation>> = {
  lastNotNull: (values) => values.findLast((one) => one !== null && one !== undefined) ?? null,
  last: (values) => values.at(-1) ?? null,
  firstNotNull: (values) => values.find((one) => one !== null && one !== undefined) ?? null,
  first: (values) => values[0] ?? null,
  min: (values) => (present(values).length > 0 ? Math.min(...present(values)) : null),
  max: (values) => (present(values).length > 0 ? Math.max(...present(values)) : null),
  mean: (values) =>
    present(values).length > 0 ? present(values).reduce((sum, one) => sum + one, 0) / present(values).length : null,
  sum: (values) => (present(values).length > 0 ? present(values).reduce((sum, one) => sum + one, 0) : null),
  count: (values) => values.length,
  range: (values) => (present(values).length > 0 ? Math.max(...present(values)) - Math.min(...present(values)) : null),
};
