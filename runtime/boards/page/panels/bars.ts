/** `bargauge` and `barchart`: a bar for each value, beside its name and its number. */
import { display, limitOf } from '../../view/display.ts';
import { readable, seriesColor } from '../../view/palette.ts';
import type { FieldConfig } from '../../view/panel-form.ts';
import { displayName } from '../../view/series.ts';
import { isHidden, type Table } from '../../view/table.ts';
import { h } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';
import { valuesOf } from './stat.ts';

interface Bar {
  readonly name: string;
  readonly value: number | null;
  readonly config: FieldConfig;
  readonly color?: string | undefined;
  readonly href?: string | undefined;
}

export const drawBarGauge: DrawPanel = (body, context) => {
  const bars = valuesOf(context.tables, context.panel.options ?? {}).map(({ name, value, column, table, row }): Bar => {
    const link = column.config.links?.find(({ url }) => url);
    return {
      name,
      value: typeof value === 'number' ? value : null,
      config: column.config,
      href: link?.url && context.link(link.url, { table, index: row }),
    };
  });
  return drawBars(body, bars, context);
};

/** The first text is the name; several numbers of a row are bars of several colours. */
export const drawBarChart: DrawPanel = (body, context) => {
  const table = context.tables[0];
  return table ? drawBars(body, barsOf(table, context), context) : 0;
};

function barsOf(table: Table, context: PanelContext): Bar[] {
  const wanted = context.panel.options?.xField;
  const names = table.columns.find(({ name, kind }) =>
    wanted ? name === wanted : kind === 'string' || kind === 'time',
  );
  const numbers = table.columns.filter((column) => column.kind === 'number' && column !== names && !isHidden(column));
  return Array.from({ length: table.length }, (_, row) =>
    numbers.map((column, index): Bar => {
      const name = names ? display(names.values[row], names.kind, names.config, context).text : '';
      const own = numbers.length > 1 ? displayName(column.name, column.config) : '';
      return {
        name: [name, own].filter(Boolean).join(' · '),
        value: column.values[row] as number | null,
        config: column.config,
        color: numbers.length > 1 ? seriesColor(index) : undefined,
      };
    }),
  ).flat();
}

function drawBars(body: HTMLElement, bars: readonly Bar[], context: PanelContext): number {
  const known = bars.flatMap(({ value }) => (value === null ? [] : [value]));
  const most = Math.max(1, ...known);
  const rows = bars.map((bar) => barRow(bar, most, context));
  body.replaceChildren(
    h(
      'div',
      {
        class: 'bars',
        tabindex: '0',
        role: 'list',
        'aria-label': context.panel.title,
        style: `--count:${bars.length}`,
      },
      rows,
    ),
  );
  return known.length;
}

function barRow({ name, value, config, color, href }: Bar, most: number, context: PanelContext): HTMLElement {
  const shown = display(value, 'number', config, context);
  const low = config.min ?? 0;
  const high = config.max ?? most;
  const share = (at: number) => Math.max(0, Math.min(100, ((at - low) / (high - low || 1)) * 100));
  const fill = color ?? shown.color ?? seriesColor(0);
  const { thresholds } = config;
  const marks = thresholds
    ? thresholds.steps.flatMap(({ value: from }) =>
        from === null ? [] : [limitOf(thresholds, config.min, config.max)(from)],
      )
    : [];
  return h(
    'div',
    { class: 'bar-row', role: 'listitem' },
    h('span', { class: 'bar-name', title: name }, href ? h('a', { href }, name) : name),
    h(
      'span',
      { class: 'bar-track', 'aria-hidden': 'true' },
      value !== null && h('span', { class: 'bar-fill', style: `width:${share(value)}%;background:${fill}` }),
      marks
        .filter((at) => at > low && at < high)
        .map((at) => h('span', { class: 'bar-mark', style: `left:${share(at)}%` })),
    ),
    h(
      'span',
      {
        class: `bar-value ${shown.isMissing ? 'missing' : ''}`,
        style: shown.color ? `color:${readable(shown.color)}` : undefined,
      },
      shown.shape && h('span', { class: 'shape', 'aria-hidden': 'true' }, shown.shape),
      shown.text,
    ),
  );
}
