/** The kinds of panels that the preview can draw, by the names that Grafana gives them. */
import { drawBarChart, drawBarGauge } from './bars.ts';
import type { DrawPanel } from './context.ts';
import { drawGeomap } from './geomap.ts';
import { drawStat } from './stat.ts';
import { drawStateTimeline } from './state-timeline.ts';
import { drawTable } from './table.ts';
import { drawText } from './text.ts';
import { drawTimeSeries } from './time-series.ts';

export const panelKinds: Readonly<Record<string, DrawPanel>> = {
  barchart: drawBarChart,
  bargauge: drawBarGauge,
  geomap: drawGeomap,
  stat: drawStat,
  'state-timeline': drawStateTimeline,
  table: drawTable,
  text: drawText,
  timeseries: drawTimeSeries,
};
