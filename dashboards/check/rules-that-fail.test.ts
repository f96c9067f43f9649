/** The checks of boards find what is wrong: each is given a board with one thing broken. */
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { beforeEach, describe, expect, it } from 'vitest';
import { wall } from '../boards/wall.ts';
import type { ClickHouseQuery } from '../kit/query.ts';
import { renderBoard } from '../kit/render.ts';
import { lintDashboard } from './lint.ts';
import { dashboardValidator } from './validate.ts';

let dashboard: Dashboard;
let stat: Panel & { targets: ClickHouseQuery[] };
const validate = dashboardValidator();

beforeEach(() => {
  dashboard = JSON.parse(JSON.stringify(renderBoard(wall, 'vi'))) as Dashboard;
  stat = dashboard.panels?.find(({ type }) => type === 'stat') as unknown as typeof stat;
});

const query = () => stat.targets[0] as { -readonly [name in keyof ClickHouseQuery]: ClickHouseQuery[name] };

describe('the checks of boards', () => {
  it.each<[string, () => void]>([
    ['template-datasource', () => dashboard.templating.list?.splice(0, 1)],
    ['panel-datasource', () => Object.assign(stat, { datasource: { uid: 'other' } })],
    ['target-datasource', () => Object.assign(query(), { datasource: { uid: 'other' } })],
    ['panel-title-description', () => Object.assign(stat, { description: '' })],
    ['panel-units', () => Object.assign(stat, { fieldConfig: { defaults: {}, overrides: [] } })],
    ['panel-no-targets', () => stat.targets.splice(0)],
    ['uneditable-dashboard', () => Object.assign(dashboard, { editable: true })],
    ['panel-kinds', () => Object.assign(stat, { type: 'piechart' })],
    ['row-for-each-question', () => Object.assign(dashboard.panels?.[0] ?? {}, { title: 'Thành phố' })],
    ['no-overlap', () => Object.assign(stat.gridPos ?? {}, { h: 12 })],
    ['no-overlap', () => Object.assign(stat.gridPos ?? {}, { w: 25 })],
    ['unique-ids', () => Object.assign(stat, { id: 1 })],
    [
      'colors-of-the-palette',
      () => Object.assign(stat.fieldConfig?.defaults ?? {}, { color: { mode: 'fixed', fixedColor: 'green' } }),
    ],
    [
      'bounded-queries',
      () => Object.assign(query(), { rawSql: 'SELECT census FROM ed_status WHERE minute > $__fromTime' }),
    ],
    ['bounded-queries', () => Object.assign(query(), { rawSql: 'SELECT census FROM ed_status LIMIT 1' })],
    ['bounded-queries', () => Object.assign(query(), { rawSql: 'SELECT 1 WHERE $__toTime > now() LIMIT 1' })],
  ])('%s', (rule, breakIt) => {
    expect(lintDashboard(dashboard)).toEqual([]);
    breakIt();
    expect(lintDashboard(dashboard).join('\n')).toContain(`mach-wall  ${rule}:`);
  });

  it.each<[string, () => void]>([
    ['an option that its kind of panel has not', () => Object.assign(stat.options, { colourMode: 'value' })],
    ['a value that an option has not', () => Object.assign(stat.options, { graphMode: 'sometimes' })],
    ['a query without its SQL', () => Object.assign(query(), { rawSql: undefined })],
    ['a key that Grafana has not', () => Object.assign(dashboard, { elements: {} })],
    [
      'a threshold without a colour',
      () =>
        Object.assign(stat.fieldConfig?.defaults ?? {}, { thresholds: { mode: 'absolute', steps: [{ value: 1 }] } }),
    ],
  ])('the schema refuses %s', (_what, breakIt) => {
    expect(validate(dashboard)).toEqual([]);
    breakIt();
    expect(validate(JSON.parse(JSON.stringify(dashboard)))).not.toEqual([]);
  });
});
