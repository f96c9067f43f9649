/**
 * Classic dashboard JSON as Grafana's own types have it, put together for the kinds of panels that boards use. From these types `classic.schema.json` is made
 * (`npm run boards`), so that what is generated is held against Grafana's word and not against ours.
 */
import type * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type * as geomap from '@grafana/grafana-foundation-sdk/geomap';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as text from '@grafana/grafana-foundation-sdk/text';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { ClickHouseQuery } from '../kit/query.ts';

interface FieldConfig<Custom> extends Omit<dashboard.FieldConfig, 'custom'> {
  custom?: Custom;
}

interface FieldConfigSource<Custom> extends Omit<dashboard.FieldConfigSource, 'defaults'> {
  defaults: FieldConfig<Custom>;
}

interface Panel<Type extends string, Options, Custom>
  extends Omit<dashboard.Panel, 'type' | 'targets' | 'options' | 'fieldConfig'> {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: dashboard.GridPos;
  targets: ClickHouseQuery[];
  options: Partial<Options>;
  fieldConfig: FieldConfigSource<Partial<Custom>>;
}

interface TextPanel extends Omit<dashboard.Panel, 'type' | 'targets' | 'options' | 'fieldConfig'> {
  type: 'text';
  id: number;
  gridPos: dashboard.GridPos;
  options: text.Options;
}

interface RowPanel extends Omit<dashboard.RowPanel, 'panels'> {
  gridPos: dashboard.GridPos;
  panels: [];
}

type NoCustom = Record<string, never>;

type BoardPanel =
  | RowPanel
  | Panel<'stat', stat.Options, NoCustom>
  | Panel<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Panel<'table', table.Options, table.FieldConfig>
  | Panel<'bargauge', bargauge.Options, NoCustom>
  | Panel<'geomap', geomap.Options, NoCustom>
  | Panel<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | TextPanel;

export interface ClassicDashboard extends Omit<dashboard.Dashboard, 'panels'> {
  uid: string;
  title: string;
  description: string;
  panels: BoardPanel[];
}
