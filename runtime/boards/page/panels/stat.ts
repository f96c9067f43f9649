/** A few large numbers. */
import { display } from '../../view/display.ts';
import { inkOn, readable } from '../../view/palette.ts';
import { calculations, displayName } from '../../view/series.ts';
import { type Column, isHidden, type Table } from '../../view/table.ts';
import { h, svg } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';

interface Options {
  readonly reduceOptions?: {
    readonly values?: boolean;
    readonly calcs?: readonly string[];
    readonly fields?: string;
    readonly limit?: number;
  };
  readonly colorMode?: string;
  readonly graphMode?: string;
  readonly textMode?: string;
  readonly orientation?: string;
}

interface Value {
  readonly name: string;
  readonly value: unknown;
  readonly column: Column;
  readonly table: Table;
  readonly row: number;
}

/** Numbers; where a table has none of them, whatever it has. */
function shownColumns(table: Table): Column[] {
  const visible = table.columns.filter((column) => !isHidden(column) && column.kind !== 'time');
  const numbers = visible.filter(({ kind }) => kind === 'number' || kind === 'boolean');
  return numbers.length > 0 ? numbers : visible.length > 0 ? visible : table.columns.slice(0, 1);
}

export function valuesOf(tables: readonly Table[], { reduceOptions }: Options): Value[] {
  const { values: eachRow = false, calcs = ['lastNotNull'], limit = 60 } = reduceOptions ?? {};
  const calculate = calculations[calcs[0] ?? 'lastNotNull'] ?? calculations.lastNotNull;
  return tables.flatMap((table): Value[] => {
    const columns = shownColumns(table);
    if (!eachRow) {
      return columns.map((column) => ({
        name: displayName(column.name, column.config),
        value: table.length === 0 ? null : calculate?.(column.values),
        column,
        table,
        row: table.length - 1,
      }));
    }
    const names = table.columns.find(({ kind }) => kind === 'string');
    return Array.from({ length: Math.min(table.length, limit) }, (_, row) =>
      columns
        .filter((column) => column !== names)
        .map((column) => ({
          name: names ? String(names.values[row] ?? '') : displayName(column.name, column.config),
          value: column.values[row],
          column,
          table,
          row,
        })),
    ).flat();
  });
}

export const drawStat: DrawPanel = (body, context) => {
  const options = (context.panel.options ?? {}) as Options;
  const values = valuesOf(context.tables, options);
  const hasName =
    options.textMode !== 'value' &&
    (values.length > 1 || options.textMode === 'value_and_name' || options.textMode === 'name');
  const tiles = values.map((value) =>
    tile(value, options, context, hasName && (values.length > 1 || value.name !== context.panel.title)),
  );
  body.replaceChildren(h('div', { class: 'stats', style: `--count:${tiles.length}` }, tiles));
  return values.filter(({ value }) => value !== null && value !== undefined).length;
};

function tile(value: Value, options: Options, context: PanelContext, hasName: boolean): HTMLElement {
  const { config, kind } = value.column;
  const shown = display(value.value, kind, config, context);
  const isFilled = options.colorMode?.startsWith('background') === true && shown.color !== undefined;
  const colors = shown.color
    ? isFilled
      ? `--ground:${shown.color};--ink:${inkOn(shown.color)}`
      : options.colorMode === 'none'
        ? ''
        : `--ink:${readable(shown.color)}`
    : '';
  const signs = [...`${shown.prefix}${shown.main}`].length + [...shown.unit].length * 0.55 + (shown.shape ? 1.1 : 0);
  const link = config.links?.find(({ url }) => url);
  const inner = [
    h(
      'div',
      { class: 'stat-value', style: `--signs:${Math.max(signs, 2)}` },
      shown.shape && h('span', { class: 'shape', 'aria-hidden': 'true' }, shown.shape),
      h('span', {}, `${shown.prefix}${shown.main}`),
      shown.unit && h('span', { class: 'unit' }, shown.unit.trim()),
    ),
    hasName && h('div', { class: 'stat-name' }, value.name),
    options.graphMode === 'area' && sparkline(value, shown.color),
  ];
  const state = isFilled ? 'filled' : shown.isMissing ? 'missing' : '';
  const properties = {
    class: `stat ${state} ${hasName ? 'named' : ''}`,
    style: colors,
    'data-value': String(value.value ?? ''),
  };
  if (!link?.url) return h('div', properties, inner);
  const href = context.link(link.url, { table: value.table, index: value.row });
  return h('a', { ...properties, href, title: link.title }, inner);
}

function sparkline({ column }: Value, color = '#58b4ec'): Element | null {
  const numbers = column.values.filter((one): one is number => typeof one === 'number');
  if (numbers.length < 2) return null;
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const points = numbers.map((one, index) => {
    const x = (index / (numbers.length - 1)) * 100;
    const y = high === low ? 15 : 29 - ((one - low) / (high - low)) * 28;
    return `${x.toFixed(2)},${y.toFixed(2)}`;
  });
  return svg(
    'svg',
    { class: 'sparkline', viewBox: '0 0 100 30', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('polygon', { points: `0,30 ${points.join(' ')} 100,30`, fill: color, 'fill-opacity': '0.18' }),
    svg('polyline', {
      points: points.join(' '),
      fill: 'none',
      stroke: color,
      'stroke-width': '2',
      'vector-effect': 'non-scaling-stroke',
    }),
  );
}
