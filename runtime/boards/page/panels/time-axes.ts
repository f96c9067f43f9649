/** The axes of a chart over time. */
import type uPlot from 'uplot';
import { display } from '../../view/display.ts';
import { formatTime } from '../../view/times.ts';
import type { PanelContext } from './context.ts';

export function timeAxes(body: HTMLElement, context: PanelContext): uPlot.Axis[] {
  const font = `${getComputedStyle(body).getPropertyValue('--chart-font') || '13px'} Inter, sans-serif`;
  const line = { stroke: '#2a323b', width: 1 };
  const axis: uPlot.Axis = { stroke: '#b7c1cc', font, grid: line, ticks: line };
  return [
    { ...axis, values: (_, splits) => timeLabels(splits, context) },
    { ...axis, size: axisSize, values: (_, splits) => valueLabels(splits, context) },
  ];
}

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
