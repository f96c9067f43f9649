/** Rows and columns; sorted by a click on a head. */
import { type Display, display } from '../../view/display.ts';
import { inkOn, readable } from '../../view/palette.ts';
import { calculations, displayName } from '../../view/series.ts';
import { type Column, columnNamed, isHidden, type Table } from '../../view/table.ts';
import { h } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';

interface CellOptions {
  readonly type?: string;
  readonly mode?: string;
}

interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** By panel: what a person has chosen stays when the table is drawn anew. */
const sorts = new WeakMap<HTMLElement, Sort>();
const rowsMax = 500;
/** A text longer than this may stand on several lines. */
const longText = 26;

export const drawTable: DrawPanel = (body, context) => {
  const table = context.tables[0];
  if (!table) return 0;
  const columns = table.columns.filter((column) => !isHidden(column));
  const rows = order(body, table, context);
  const alertIds = columnNamed(table, 'alert_id');
  const states = columnNamed(table, 'state');
  const isOpen = (row: number) => states?.values[row] !== 'cleared';
  // Only what says whether it is open can be acted on.
  const act = alertIds && states && context.act;
  const scroll = body.querySelector('.table-scroll')?.scrollTop ?? 0;
  const head = h(
    'tr',
    {},
    columns.map((column) => headCell(body, column, context)),
    act && h('th', { scope: 'col' }, context.text('actions')),
  );
  const lines = rows.slice(0, rowsMax).map((row) =>
    h(
      'tr',
      {},
      columns.map((column) => cell(column, row, table, context)),
      act && h('td', {}, isOpen(row) && actButton(String(alertIds.values[row]), act, context)),
    ),
  );
  const left = rows.length - rowsMax;
  body.replaceChildren(
    h(
      'div',
      { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': context.panel.title },
      h('table', {}, h('thead', {}, head), h('tbody', {}, lines)),
      left > 0 && h('p', { class: 'quiet' }, `${context.text('moreRows')} ${left} ${context.text('rows')}`),
    ),
  );
  (body.firstElementChild as HTMLElement).scrollTop = scroll;
  return rows.length;
};

function actButton(id: string, act: (alertId: string) => void, context: PanelContext): HTMLElement {
  return h(
    'button',
    { type: 'button', class: 'small', 'data-alert': id, on: { click: () => act(id) } },
    context.text('acknowledge'),
    ' / ',
    context.text('assign'),
  );
}

function order(body: HTMLElement, table: Table, context: PanelContext): number[] {
  const rows = Array.from({ length: table.length }, (_, row) => row);
  const options = context.panel.options as { sortBy?: readonly { displayName: string; desc?: boolean }[] } | undefined;
  const given = options?.sortBy?.[0];
  const sort = sorts.get(body) ?? (given && { column: given.displayName, descending: given.desc === true });
  const column =
    sort && table.columns.find(({ name, config }) => name === sort.column || displayName(name, config) === sort.column);
  if (!sort || !column) return rows;
  const compare = new Intl.Collator('vi', { numeric: true }).compare;
  const sign = sort.descending ? -1 : 1;
  return rows.sort((one, other) => {
    const [first, second] = [column.values[one], column.values[other]];
    // What is not known comes last, whichever way.
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    const difference =
      typeof first === 'number' && typeof second === 'number' ? first - second : compare(String(first), String(second));
    return sign * difference;
  });
}

function headCell(body: HTMLElement, column: Column, context: PanelContext): HTMLElement {
  const sort = sorts.get(body);
  const isSorted = sort?.column === column.name;
  const click = () => {
    sorts.set(body, { column: column.name, descending: isSorted ? !sort.descending : isNumeric(column) });
    drawTable(body, context);
    const again = [...body.querySelectorAll<HTMLElement>('th button')].find(
      ({ dataset }) => dataset.column === column.name,
    );
    again?.focus();
  };
  const width = column.config.custom?.width;
  return h(
    'th',
    {
      scope: 'col',
      class: isNumeric(column) ? 'number' : undefined,
      style: typeof width === 'number' ? `width:${width}px` : undefined,
      'aria-sort': isSorted ? (sort.descending ? 'descending' : 'ascending') : undefined,
    },
    h(
      'button',
      { type: 'button', 'data-column': column.name, on: { click } },
      displayName(column.name, column.config),
      isSorted && h('span', { 'aria-hidden': 'true' }, sort.descending ? ' ▼' : ' ▲'),
    ),
  );
}

const isNumeric = ({ kind, config }: Column) => kind === 'number' && !config.mappings?.length;

function cell(column: Column, row: number, table: Table, context: PanelContext): HTMLElement {
  const { config } = column;
  const value = column.values[row];
  const shown = display(value, column.kind, config, context);
  const options = (config.custom?.cellOptions ?? {}) as CellOptions;
  const kind = options.type ?? String(config.custom?.displayMode ?? 'auto');
  const link = config.links?.find(({ url }) => url);
  const text = [shown.shape && h('span', { class: 'shape', 'aria-hidden': 'true' }, shown.shape), shown.text];
  const inner = link?.url
    ? h('a', { href: context.link(link.url, { table, index: row }), title: link.title }, text)
    : text;
  const style =
    kind.startsWith('color-background') && shown.color
      ? `background:${shown.color};color:${inkOn(shown.color)}`
      : kind === 'color-text' && shown.color
        ? `color:${readable(shown.color)}`
        : '';
  const classes = [
    isNumeric(column) && 'number',
    shown.isMissing && 'missing',
    shown.text.length > longText && 'long',
    kind.startsWith('color-background') && shown.color && 'filled',
  ];
  return h(
    'td',
    { class: classes.filter(Boolean).join(' ') || undefined, style: style || undefined },
    kind === 'gauge' && typeof value === 'number' && gauge(value, column, shown),
    inner,
  );
}

function gauge(value: number, { values, config }: Column, { color }: Display): HTMLElement {
  const high = config.max ?? Number(calculations.max?.(values) ?? 1);
  const low = config.min ?? 0;
  const share = Math.max(0, Math.min(1, (value - low) / (high - low || 1)));
  return h(
    'span',
    { class: 'cell-gauge', 'aria-hidden': 'true' },
    h('span', { style: `width:${share * 100}%;background:${color ?? '#58b4ec'}` }),
  );
}
