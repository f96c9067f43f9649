/** Lines, areas and bars over time. */
import uPlot from 'uplot';
import { display, limitOf } from '../../view/display.ts';
import { colorOf, seriesColor } from '../../view/palette.ts';
import { calculations, type Series, seriesOf } from '../../view/series.ts';
import { configOf } from '../../view/table.ts';
import { formatTime } from '../../view/times.ts';
import { h } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';

interface Custom {
  readonly drawStyle?: string;
  readonly lineWidth?: number;
  readonly fillOpacity?: number;
  readonly stacking?: { readonly mode?: string };
  readonly thresholdsStyle?: { readonly mode?: string };
  readonly spanNulls?: boolean | number;
}

const isStacked = ({ stacking }: Custom) => (stacking?.mode ?? 'none') !== 'none';
const linesFilledMax = 3;

interface Drawn {
  readonly plot: uPlot;
  readonly observer: ResizeObserver;
}

const drawn = new WeakMap<HTMLElement, Drawn>();
/** Series that a person has switched off, by panel. */
const switchedOff = new WeakMap<HTMLElement, Set<string>>();

const dashes = [[], [8, 4], [2, 4], [10, 3, 2, 3]] as const;

export const drawTimeSeries: DrawPanel = (body, context) => {
  const { panel, tables } = context;
  const { times, series } = seriesOf(tables, ({ name, refId }) => configOf(panel, { name, kind: 'number', refId }));
  const compare = new Intl.Collator('vi', { numeric: true }).compare;
  const shown = series.filter(({ kind }) => kind === 'number').sort((one, other) => compare(one.name, other.name));
  release(body);
  if (times.length === 0 || shown.length === 0) return 0;
  const off = switchedOff.get(body) ?? new Set<string>();
  switchedOff.set(body, off);
  const colors = shown.map((one, index) => colorFor(one, index));
  const custom = (panel.fieldConfig?.defaults?.custom ?? {}) as Custom;
  const data = stack(shown, custom);
  const chart = h('div', { class: 'chart', role: 'img', 'aria-label': summary(shown, context) });
  const readout = h('div', { class: 'readout', 'aria-hidden': 'true', hidden: true });
  body.replaceChildren(chart, legend(), readout);
  const plot = new uPlot(optionsOf(), [times.map((ms) => ms / 1_000), ...data] as uPlot.AlignedData, chart);
  const observer = new ResizeObserver(() => plot.setSize(sizeOf(chart)));
  observer.observe(chart);
  drawn.set(body, { plot, observer });
  return times.length;

  function legend(): HTMLElement {
    const items = shown.map((one, index) => {
      const last = display(calculations.lastNotNull?.(one.values), 'number', one.config, context);
      const toggle = (event: Event) => {
        if (off.has(one.name)) off.delete(one.name);
        else off.add(one.name);
        plot.setSeries(index + 1, { show: !off.has(one.name) });
        (event.currentTarget as HTMLElement).setAttribute('aria-pressed', String(!off.has(one.name)));
      };
      const line = h('span', {
        class: `swatch dash-${index % dashes.length}`,
        style: `--color:${colors[index]}`,
        'aria-hidden': 'true',
      });
      return h(
        'button',
        { type: 'button', 'aria-pressed': String(!off.has(one.name)), on: { click: toggle } },
        line,
        `${one.name} `,
        h('b', {}, last.text),
      );
    });
    return h('div', { class: 'legend' }, items);
  }

  function optionsOf(): uPlot.Options {
    const isBars = custom.drawStyle === 'bars';
    const { min, max } = panel.fieldConfig?.defaults ?? {};
    return {
      ...sizeOf(chart),
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 7 } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), context.zone),
      scales: {
        x: { min: context.from / 1_000, max: context.to / 1_000 },
        y: {
          range: (_, low, high) => {
            const least = min ?? Math.min(0, low ?? 0);
            const most = max ?? Math.max(high ?? 1, least + 1);
            return [least, max ?? most + (most - least) * 0.06];
          },
        },
      },
      axes: [
        { ...axis(), values: (_, splits) => timeLabels(splits, context) },
        {
          ...axis(),
          size: axisSize,
          values: (_, splits) => valueLabels(splits, context),
        },
      ],
      series: [
        {},
        ...shown.map((one, index): uPlot.Series => {
          const own = { ...custom, ...(one.config.custom as Custom | undefined) };
          const color = colors[index] as string;
          // The grounds of many lines together would be one grey.
          const isFilled = shown.length <= linesFilledMax || isBars || isStacked(custom);
          const opacity = isFilled ? Math.round(((own.fillOpacity ?? 0) / 100) * 255) : 0;
          return {
            show: !off.has(one.name),
            stroke: color,
            width: isBars ? 1 : (own.lineWidth ?? 2),
            fill: opacity > 0 ? `${color}${opacity.toString(16).padStart(2, '0')}` : undefined,
            dash: isBars ? [] : [...(dashes[index % dashes.length] as readonly number[])],
            spanGaps: own.spanNulls !== false,
            points: { show: times.length === 1 || own.drawStyle === 'points' },
            ...(isBars && uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.8, 40] }) } : {}),
          } as uPlot.Series;
        }),
      ],
      hooks: { draw: [drawThresholds], setCursor: [showReadout] },
    };
  }

  function axis(): uPlot.Axis {
    const font = `${getComputedStyle(body).getPropertyValue('--chart-font') || '13px'} Inter, sans-serif`;
    return {
      stroke: '#b7c1cc',
      font,
      grid: { stroke: '#2a323b', width: 1 },
      ticks: { stroke: '#2a323b', width: 1 },
    };
  }

  function drawThresholds(chartNow: uPlot): void {
    const { thresholds, min, max } = panel.fieldConfig?.defaults ?? {};
    const mode = custom.thresholdsStyle?.mode ?? 'off';
    if (!thresholds || mode === 'off') return;
    const { ctx, bbox } = chartNow;
    const at = limitOf(thresholds, min, max);
    ctx.save();
    ctx.lineWidth = 2;
    if (mode.includes('dashed')) ctx.setLineDash([10, 6]);
    for (const { value, color } of thresholds.steps) {
      if (value === null) continue;
      const y = chartNow.valToPos(at(value), 'y', true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = colorOf(color) ?? '#b7c1cc';
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  function showReadout(chartNow: uPlot): void {
    const { idx, left = -1 } = chartNow.cursor;
    readout.hidden = idx === null || idx === undefined || left < 0;
    if (readout.hidden || idx === null || idx === undefined) return;
    const lines = shown.flatMap((one, index) => {
      const value = one.values[idx];
      if (value === undefined || off.has(one.name)) return [];
      const text = display(value, 'number', one.config, context).text;
      return [
        h(
          'div',
          {},
          h('span', { class: 'swatch', style: `--color:${colors[index]}` }),
          `${one.name}: `,
          h('b', {}, text),
        ),
      ];
    });
    const time = formatTime(times[idx] as number, { zone: context.zone, language: context.language, style: 'moment' });
    readout.replaceChildren(h('div', { class: 'quiet' }, time), ...lines);
    readout.style.left = `${Math.min(left + 60, Math.max(0, chart.clientWidth - 220))}px`;
  }
};

/** As wide as its longest label. */
function axisSize(_plot: uPlot, values: string[] | null): number {
  const longest = Math.max(2, ...(values ?? []).map((one) => one.length));
  return 22 + longest * 7.6;
}

/** The unit stands once, at the top. */
function valueLabels(splits: readonly number[], context: PanelContext): string[] {
  const config = { ...context.panel.fieldConfig?.defaults, mappings: [], decimals: null };
  return splits.map((value, index) => {
    const { text, main } = display(value, 'number', config, context);
    return index === splits.length - 1 ? text : main;
  });
}

/** The day stands where it begins, and at the first label. */
function timeLabels(splits: readonly number[], { zone, language, from, to }: PanelContext): string[] {
  let before = '';
  return splits.map((seconds, index) => {
    const ms = seconds * 1_000;
    const day = formatTime(ms, { zone, language, style: 'day' });
    const minute = formatTime(ms, { zone, language, style: 'minute' });
    const isNew = day !== before && (index > 0 || to - from > 86_400_000);
    before = day;
    if (minute === '00:00' && to - from > 2 * 86_400_000) return day;
    return isNew ? `${minute}\n${day}` : minute;
  });
}

function sizeOf(chart: HTMLElement): { width: number; height: number } {
  return { width: Math.max(chart.clientWidth, 60), height: Math.max(chart.clientHeight, 60) };
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
function stack(series: readonly Series[], custom: Custom): (number | null | undefined)[][] {
  const values = series.map(({ values: own }) => own as (number | null | undefined)[]);
  if (!isStacked(custom)) return values;
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
