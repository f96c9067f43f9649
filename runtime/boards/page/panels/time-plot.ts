/** How uPlot draws a chart over time. */
import uPlot from 'uplot';
import { display, limitOf } from '../../view/display.ts';
import { colorOf } from '../../view/palette.ts';
import type { Series } from '../../view/series.ts';
import { formatTime } from '../../view/times.ts';
import { h } from '../dom.ts';
import type { PanelContext } from './context.ts';
import { timeAxes } from './time-axes.ts';

export interface ChartLooks {
  readonly drawStyle?: string;
  readonly lineWidth?: number;
  readonly fillOpacity?: number;
  readonly stacking?: { readonly mode?: string };
  readonly thresholdsStyle?: { readonly mode?: string };
  readonly spanNulls?: boolean | number;
}

export interface Chart {
  readonly context: PanelContext;
  readonly times: readonly number[];
  readonly shown: readonly Series[];
  readonly colors: readonly string[];
  readonly looks: ChartLooks;
  /** Names of series that a person has switched off. */
  readonly off: ReadonlySet<string>;
  readonly element: HTMLElement;
  readonly readout: HTMLElement;
}

export const isStacked = ({ stacking }: ChartLooks) => (stacking?.mode ?? 'none') !== 'none';
export const dashes = [[], [8, 4], [2, 4], [10, 3, 2, 3]] as const;
/** The grounds of more lines than this together would be one grey. */
const linesFilledMax = 3;

export function plotOptions(chart: Chart): uPlot.Options {
  const { context, shown, element } = chart;
  const { min, max } = context.panel.fieldConfig?.defaults ?? {};
  return {
    ...sizeOf(element),
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
    axes: timeAxes(element, context),
    series: [{}, ...shown.map((one, index) => seriesLook(chart, one, index))],
    hooks: {
      draw: [(plot) => drawThresholds(plot, chart)],
      setCursor: [(plot) => showReadout(plot, chart)],
    },
  };
}

function seriesLook(
  { shown, looks, colors, off, times }: Chart,
  { name, config }: Series,
  index: number,
): uPlot.Series {
  const own = { ...looks, ...(config.custom as ChartLooks | undefined) };
  const isBars = looks.drawStyle === 'bars';
  const color = colors[index] as string;
  const isFilled = shown.length <= linesFilledMax || isBars || isStacked(looks);
  const opacity = isFilled ? Math.round(((own.fillOpacity ?? 0) / 100) * 255) : 0;
  return {
    show: !off.has(name),
    stroke: color,
    width: isBars ? 1 : (own.lineWidth ?? 2),
    ...(opacity > 0 && { fill: `${color}${opacity.toString(16).padStart(2, '0')}` }),
    dash: isBars ? [] : [...(dashes[index % dashes.length] as readonly number[])],
    spanGaps: own.spanNulls !== false,
    points: { show: times.length === 1 || own.drawStyle === 'points' },
    ...(isBars && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
  };
}

function drawThresholds({ ctx, bbox, valToPos }: uPlot, { context, looks }: Chart): void {
  const { thresholds, min, max } = context.panel.fieldConfig?.defaults ?? {};
  const mode = looks.thresholdsStyle?.mode ?? 'off';
  if (!thresholds || mode === 'off') return;
  const at = limitOf(thresholds, min, max);
  ctx.save();
  ctx.lineWidth = 2;
  if (mode.includes('dashed')) ctx.setLineDash([10, 6]);
  for (const { value, color } of thresholds.steps) {
    if (value === null) continue;
    const y = valToPos(at(value), 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = colorOf(color) ?? '#b7c1cc';
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

const readoutWidth = 220;

/** What the lines say at the place of the pointer. */
function showReadout({ cursor }: uPlot, { context, times, shown, colors, off, element, readout }: Chart): void {
  const { idx, left = -1 } = cursor;
  readout.hidden = idx === null || idx === undefined || left < 0;
  if (readout.hidden || idx === null || idx === undefined) return;
  const lines = shown.flatMap(({ name, values, config }, index) => {
    const value = values[idx];
    if (value === undefined || off.has(name)) return [];
    const swatch = h('span', { class: 'swatch', style: `--color:${colors[index]}` });
    return [h('div', {}, swatch, `${name}: `, h('b', {}, display(value, 'number', config, context).text))];
  });
  const { zone, language } = context;
  const time = formatTime(times[idx] as number, { zone, language, style: 'moment' });
  readout.replaceChildren(h('div', { class: 'quiet' }, time), ...lines);
  readout.style.left = `${Math.min(left + 60, Math.max(0, element.clientWidth - readoutWidth))}px`;
}

export function sizeOf(element: HTMLElement): { width: number; height: number } {
  return { width: Math.max(element.clientWidth, 60), height: Math.max(element.clientHeight, 60) };
}
