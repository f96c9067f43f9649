/**
 * Rules for generated dashboards. The first group is that of Grafana's own linter (grafana/dashboard-linter), as far as it does not speak of Prometheus; the others
 * are ours. Each gives a line for what breaks it.
 */
import type { Dashboard, Panel, RowPanel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { palette } from '../kit/palette.ts';
import { type ClickHouseQuery, datasource, datasourceType } from '../kit/query.ts';

type Rule = (dashboard: Dashboard) => string[];

const panelKinds = new Set(['stat', 'timeseries', 'table', 'bargauge', 'geomap', 'state-timeline', 'text']);
const gridWidth = 24;

const placedOf = ({ panels = [] }: Dashboard) => panels;
const isRow = (panel: Panel | RowPanel): panel is RowPanel => panel.type === 'row';
const panelsOf = (dashboard: Dashboard) => placedOf(dashboard).filter((panel): panel is Panel => !isRow(panel));
const queriedOf = (dashboard: Dashboard) => panelsOf(dashboard).filter(({ type }) => type !== 'text');
const targetsOf = ({ targets = [] }: Panel) => targets as unknown as readonly ClickHouseQuery[];
const variablesOf = ({ templating }: Dashboard): readonly VariableModel[] => templating.list ?? [];

const each = <T>(items: readonly T[], problem: (item: T) => string | undefined | false): string[] =>
  items.map(problem).filter((text): text is string => Boolean(text));

/** The unit of every number: of the panel, or of the column. */
function unitsOf({ fieldConfig }: Panel): boolean {
  if (fieldConfig?.defaults.unit) return true;
  const overrides = fieldConfig?.overrides ?? [];
  return overrides.some(({ properties }) => properties.some(({ id }) => id === 'unit'));
}

const rulesOfGrafana: Readonly<Record<string, Rule>> = {
  'template-datasource': (dashboard) =>
    variablesOf(dashboard).some(
      ({ type, name, query }) => type === 'datasource' && name === 'datasource' && query === datasourceType,
    )
      ? []
      : ['there is no variable for the data source'],
  'template-on-time-change-reload': (dashboard) =>
    each(
      variablesOf(dashboard),
      ({ type, name, refresh }) =>
        type === 'query' && refresh !== 2 && `variable ${name} does not follow the time range`,
    ),
  'template-label': (dashboard) =>
    each(variablesOf(dashboard), ({ name, label }) => !label && `variable ${name} has no label`),
  'panel-datasource': (dashboard) =>
    each(
      queriedOf(dashboard),
      (panel) =>
        panel.datasource?.uid !== datasource.uid && `panel "${panel.title}" does not take the chosen data source`,
    ),
  'target-datasource': (dashboard) =>
    queriedOf(dashboard).flatMap((panel) =>
      each(
        targetsOf(panel),
        ({ datasource: from }) =>
          from?.uid !== datasource.uid && `a query of "${panel.title}" does not take the chosen data source`,
      ),
    ),
  'panel-title-description': (dashboard) =>
    each(
      panelsOf(dashboard),
      ({ id, title, description }) => !(title && description) && `panel ${id} has no title or no description`,
    ),
  'panel-units': (dashboard) =>
    each(queriedOf(dashboard), (panel) => !unitsOf(panel) && `panel "${panel.title}" has no unit`),
  'panel-no-targets': (dashboard) =>
    each(queriedOf(dashboard), (panel) => targetsOf(panel).length === 0 && `panel "${panel.title}" has no query`),
  'uneditable-dashboard': ({ editable }) =>
    editable === false ? [] : ['it can be edited: changes would be lost at the next start'],
};

function overlaps(dashboard: Dashboard): string[] {
  const taken = new Map<string, string>();
  const problems: string[] = [];
  for (const panel of placedOf(dashboard)) {
    const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
    if (x + w > gridWidth) problems.push(`"${panel.title}" reaches over the right edge`);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const other = taken.get(`${column} ${line}`);
        if (other !== undefined && other !== panel.title) problems.push(`"${panel.title}" lies over "${other}"`);
        taken.set(`${column} ${line}`, panel.title ?? '');
      }
    }
  }
  return [...new Set(problems)];
}

const knownColors = new Set<string>(Object.values(palette));

function strangeColors(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const isColor = (name === 'color' || name === 'fixedColor') && typeof inner === 'string';
    if (isColor) return knownColors.has(inner) ? [] : [inner];
    return strangeColors(inner);
  });
}

const rulesOfOurs: Readonly<Record<string, Rule>> = {
  'panel-kinds': (dashboard) =>
    each(
      panelsOf(dashboard),
      ({ type, title }) => !panelKinds.has(type) && `"${title}" is a ${type}, which mach boards does not show`,
    ),
  'row-for-each-question': (dashboard) =>
    each(placedOf(dashboard).filter(isRow), ({ title }) => !title?.endsWith('?') && `row "${title}" is not a question`),
  'no-overlap': overlaps,
  'unique-ids': (dashboard) => {
    const ids = placedOf(dashboard).map(({ id }) => id);
    return new Set(ids).size === ids.length ? [] : ['two panels have one id'];
  },
  'colors-of-the-palette': (dashboard) =>
    queriedOf(dashboard).flatMap(({ title, fieldConfig }) =>
      strangeColors(fieldConfig).map((color) => `"${title}" has the colour ${color}`),
    ),
  'bounded-queries': (dashboard) =>
    queriedOf(dashboard).flatMap((panel) =>
      targetsOf(panel).flatMap(({ rawSql }) => [
        ...(/\bLIMIT \d+\s*$/.test(rawSql) ? [] : [`the query of "${panel.title}" does not end with a LIMIT`]),
        ...(/\$__(timeFilter_ms|fromTime|toTime)/.test(rawSql)
          ? []
          : [`the query of "${panel.title}" has no bound in time`]),
        ...(/\b(now|now64|today|yesterday)\(/.test(rawSql)
          ? [`the query of "${panel.title}" reads the store's clock, not the range`]
          : []),
      ]),
    ),
};

/** `uid  rule: what is wrong`. */
export function lintDashboard(dashboard: Dashboard): string[] {
  return Object.entries({ ...rulesOfGrafana, ...rulesOfOurs }).flatMap(([name, rule]) =>
    rule(dashboard).map((problem) => `${dashboard.uid}  ${name}: ${problem}`),
  );
}
