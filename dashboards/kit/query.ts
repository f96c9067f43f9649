/** A query as the ClickHouse plugin of Grafana stores it. */
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';

export const datasourceType = 'grafana-clickhouse-datasource';
/** Fixed in the provisioning of the data source; boards choose it by a variable, alert rules by this. */
export const datasourceUid = 'mach-clickhouse';
/** The version of the plugin that the form of the queries is from. */
export const pluginVersion = '4.20.0';
export const datasource: DataSourceRef = { type: datasourceType, uid: '${datasource}' };

/** The plugin's numbers for the form of an answer. */
const formats = { timeseries: 0, table: 1 } as const;
export type QueryForm = keyof typeof formats;

export interface ClickHouseQuery {
  readonly refId: string;
  readonly datasource: DataSourceRef;
  readonly editorType: 'sql';
  readonly rawSql: string;
  readonly format: number;
  readonly queryType: QueryForm;
  readonly pluginVersion: string;
}

export function clickHouseQuery(sql: string, form: QueryForm, from: DataSourceRef = datasource): ClickHouseQuery {
  return {
    refId: 'A',
    datasource: from,
    editorType: 'sql',
    rawSql: sql.trim(),
    format: formats[form],
    queryType: form,
    pluginVersion,
  };
}

/** For the builders of the SDK, which know every query by a mark that has no place in JSON. */
export function queryBuilder(sql: string, form: QueryForm): Builder<Dataquery> {
  return { build: () => clickHouseQuery(sql, form) as unknown as Dataquery };
}
