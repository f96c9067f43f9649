/** The kinds of panels that the preview can draw, by the names that Grafana gives them. */
import type { DrawPanel } from './context.ts';
import { drawStat } from './stat.ts';
import { drawTable } from './table.ts';
import { drawTimeSeries } from './time-series.ts';

export const panelKinds: Readonly<Record<string, DrawPanel>> = {
  stat: drawStat,
  table: drawTable,
  timeseries: drawTimeSeries,
};
