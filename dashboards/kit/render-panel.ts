/** From a panel to Grafana's form of it. */

import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import type { Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as geomap from '@grafana/grafana-foundation-sdk/geomap';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TextBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { defaultsOf, overridesOf } from './look.ts';
import type {
  BarsPanel,
  MapPanel,
  Panel,
  QueriedPanel,
  StateTimelinePanel,
  StatPanel,
  TextPanel,
  TimeSeriesPanel,
} from './panel.ts';
import { datasource, queryBuilder } from './query.ts';
import type { Language } from './text.ts';

/** Of what changes over time nothing is said more often: pictures are a minute apart. */
export const intervalMin = '1m';

export function renderPanel(panel: Panel, language: Language): GrafanaPanel {
  if (panel.kind === 'text') return textPanel(panel, language);
  const built = builderOf(panel).build();
  const { fieldConfig } = built;
  return {
    ...built,
    title: panel.title[language],
    description: panel.description[language],
    datasource,
    fieldConfig: {
      defaults: { ...fieldConfig?.defaults, ...defaultsOf(panel.look, language) },
      overrides: Object.entries(panel.columns ?? {}).map(([name, look]) => ({
        matcher: { id: 'byName', options: name },
        properties: overridesOf(look, language),
      })),
    },
  };
}

function builderOf(panel: QueriedPanel): Builder<GrafanaPanel> {
  switch (panel.kind) {
    case 'stat':
      return stat(panel);
    case 'timeseries':
      return timeSeries(panel);
    case 'table':
      return new TableBuilder()
        .withTarget(queryBuilder(panel.sql, 'table'))
        .showHeader(true)
        .cellHeight(common.TableCellHeight.Sm)
        .align(common.FieldTextAlignment.Auto)
        .inspect(false);
    case 'bargauge':
      return bars(panel);
    case 'geomap':
      return map(panel);
    case 'state-timeline':
      return stateTimeline(panel);
  }
}

function newestValue(eachRow: boolean): common.ReduceDataOptionsBuilder {
  return new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(eachRow).fields('');
}

function stat({ sql, fill = 'background' }: StatPanel): StatBuilder {
  return new StatBuilder()
    .withTarget(queryBuilder(sql, 'table'))
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(fill === 'background' ? common.BigValueColorMode.BackgroundSolid : common.BigValueColorMode.Value)
    .justifyMode(common.BigValueJustifyMode.Center)
    .textMode(common.BigValueTextMode.ValueAndName)
    .orientation(common.VizOrientation.Auto)
    .reduceOptions(newestValue(false));
}

function timeSeries({ sql, stacked = false, bars = false, limits = false }: TimeSeriesPanel): TimeSeriesBuilder {
  return new TimeSeriesBuilder()
    .withTarget(queryBuilder(sql, 'timeseries'))
    .interval(intervalMin)
    .drawStyle(bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .lineWidth(2)
    .fillOpacity(stacked || bars ? 60 : 8)
    .showPoints(common.VisibilityMode.Never)
    .spanNulls(false)
    .stacking(new common.StackingConfigBuilder().mode(stacked ? common.StackingMode.Normal : common.StackingMode.None))
    .thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(
        limits ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off,
      ),
    )
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    );
}

function bars({ sql, eachRow = false }: BarsPanel): BarGaugeBuilder {
  return new BarGaugeBuilder()
    .withTarget(queryBuilder(sql, 'table'))
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Color)
    .namePlacement(common.BarGaugeNamePlacement.Left)
    .orientation(common.VizOrientation.Horizontal)
    .showUnfilled(true)
    .reduceOptions(newestValue(eachRow));
}

/** The city, when there is nothing to fit to. */
const cityView = { latitude: 10.79, longitude: 106.68, zoom: 11 } as const;

function map({ sql, color, size, sizeMax, label }: MapPanel): geomap.PanelBuilder {
  const style = {
    color: { field: color, fixed: 'dark-green' },
    size: { field: size, fixed: 8, min: 6, max: 22, mode: 'linear', maximum: sizeMax },
    opacity: 0.85,
    symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
    text: { field: label, fixed: '', mode: 'field' },
    textConfig: { fontSize: 12, offsetX: 0, offsetY: -16, textAlign: 'center', textBaseline: 'middle' },
  };
  return new geomap.PanelBuilder()
    .withTarget(queryBuilder(sql, 'table'))
    .view(
      new geomap.MapViewConfigBuilder().id('coords').lat(cityView.latitude).lon(cityView.longitude).zoom(cityView.zoom),
    )
    .controls(new geomap.ControlsOptionsBuilder().showZoom(true).mouseWheelZoom(false).showAttribution(true))
    .basemap(
      new common.MapLayerOptionsBuilder()
        .type('geojson')
        .name('city')
        .config({
          src: 'public/maps/mach-city.geojson',
          rules: [],
          style: { color: { fixed: '#8A8F98' }, opacity: 0.2 },
        }),
    )
    .layers([
      new common.MapLayerOptionsBuilder()
        .type('markers')
        .name('hospitals')
        .location(
          new common.FrameGeometrySourceBuilder()
            .mode(common.FrameGeometrySourceMode.Coords)
            .latitude('latitude')
            .longitude('longitude'),
        )
        .config({ showLegend: true, style })
        .tooltip(true),
    ])
    .tooltip(new geomap.TooltipOptionsBuilder().mode(geomap.TooltipMode.Details));
}

function stateTimeline({ sql }: StateTimelinePanel): StateTimelineBuilder {
  return new StateTimelineBuilder()
    .withTarget(queryBuilder(sql, 'timeseries'))
    .interval(intervalMin)
    .mergeValues(true)
    .showValue(common.VisibilityMode.Never)
    .rowHeight(0.85)
    .fillOpacity(90)
    .lineWidth(0)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    );
}

function textPanel({ title, description, content }: TextPanel, language: Language): GrafanaPanel {
  return new TextBuilder()
    .title(title[language])
    .description(description[language])
    .mode(TextMode.Markdown)
    .content(content[language])
    .build();
}
