/** Lines, areas and bars over time. */
import uPlot from 'uplot';
import { display } from '../../view/display.ts';
import { colorOf, seriesColor } from '../../view/palette.ts';
import { calculations, type Series, seriesOf } from '../../view/series.ts';
import { configOf } from '../../view/table.ts';
import { h } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';
import { type Chart, type ChartLooks, dashes, isStacked, plotOptions, sizeOf } from './time-plot.ts';

interface Drawn {
  readonly plot: uPlot;
  readonly observer: ResizeObserver;
}

const drawn = new WeakMap<HTMLElement, Drawn>();
/** Series that a person has switched off, by panel. */
const switchedOff = new WeakMap<HTMLElement, Set<string>>();

export const drawTimeSeries: DrawPanel = (body, context) => {
  const { panel, tables } = context;
  const { times, series } = seriesOf(tables, ({ name, refId }) => configOf(panel, { name, kind: 'number', refId }));
  const compare = new Intl.Collator('vi', { numeric: true }).compare;
  const shown = series.filter(({ kind }) => kind === 'number').sort((one, other) => compare(one.name, other.name));
  release(body);
  if (times.length === 0 || shown.length === 0) return 0;
  const off = switchedOff.get(body) ?? new Set<string>();
  switchedOff.set(body, off);
  const looks = (panel.fieldConfig?.defaults?.custom ?? {}) as ChartLooks;
  const element = h('div', { class: 'chart', role: 'img', 'aria-label': summary(shown, context) });
  const readout = h('div', { class: 'readout', 'aria-hidden': 'true', hidden: true });
  const chart: Chart = { context, times, shown, looks, off, element, readout, colors: shown.map(colorFor) };
  const toggle = (name: string, index: number) => {
    if (off.has(name)) off.delete(name);
    else off.add(name);
    plot.setSeries(index + 1, { show: !off.has(name) });
    return !off.has(name);
  };
  body.replaceChildren(element, legend(chart, toggle), readout);
  const data = [times.map((ms) => ms / 1_000), ...stack(shown, looks)] as uPlot.AlignedData;
  const plot = new uPlot(plotOptions(chart), data, element);
  const observer = new ResizeObserver(() => plot.setSize(sizeOf(element)));
  observer.observe(element);
  drawn.set(body, { plot, observer });
  return times.length;
};

/** Each series with its last value; a press switches it off and on. */
function legend({ shown, colors, off, context }: Chart, toggle: (name: string, index: number) => boolean): HTMLElement {
  const items = shown.map(({ name, values, config }, index) => {
    const last = display(calculations.lastNotNull?.(values), 'number', config, context);
    const click = (event: Event) => {
      (event.currentTarget as HTMLElement).setAttribute('aria-pressed', String(toggle(name, index)));
    };
    const dash = `swatch dash-${index % dashes.length}`;
    const line = h('span', { class: dash, style: `--color:${colors[index]}`, 'aria-hidden': 'true' });
    const pressed = String(!off.has(name));
    return h(
      'button',
      { type: 'button', 'aria-pressed': pressed, on: { click } },
      line,
      `${name} `,
      h('b', {}, last.text),
    );
  });
  return h('div', { class: 'legend' }, items);
}

function release(body: HTMLElement): void {
  const before = drawn.get(body);
  before?.observer.disconnect();
  before?.plot.destroy();
  drawn.delete(body);
}

function colorFor({ config }: Series, index: number): string {
  const fixed = config.color?.mode === 'fixed' ? colorOf(config.color.fixedColor) : undefined;
  return fixed ?? seriesColor(index);
}

/** Stacked values are drawn as sums: from the last to the first, so that each lies before the one below it. */
function stack(series: readonly Series[], looks: ChartLooks): (number | null | undefined)[][] {
  const values = series.map(({ values: own }) => own as (number | null | undefined)[]);
  if (!isStacked(looks)) return values;
  const sums = new Array<number>(values[0]?.length ?? 0).fill(0);
  return values.map((own) =>
    own.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return sums[index];
    }),
  );
}

function summary(series: readonly Series[], context: PanelContext): string {
  const last = series.slice(0, 12).map((one) => {
    const value = display(calculations.lastNotNull?.(one.values), 'number', one.config, context).text;
    return `${one.name} ${value}`;
  });
  return `${context.panel.title}. ${context.text('last')}: ${last.join('; ')}`;
}
