/** From a board to Grafana's Classic JSON, one language at a time. */
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Board, Choice, Row } from './board.ts';
import { boardUid } from './look.ts';
import { datasource, datasourceType, datasourceUid, pluginVersion } from './query.ts';
import { renderPanel } from './render-panel.ts';
import type { Language } from './text.ts';

const gridWidth = 24;
/** The time of the city, whatever the clock of the screen says. */
export const zone = 'Asia/Ho_Chi_Minh';
/** Where `mach boards` shows why a result is there; another address is typed into the variable `mach`, or stands in the URL as var-mach. */
export const previewUrl = 'http://127.0.0.1:8099';

export function renderBoard(board: Board, language: Language): Dashboard {
  const builder = new DashboardBuilder(board.title[language])
    .uid(boardUid(board.uid, language))
    .description(board.description[language])
    .tags(['mach', language, ...board.tags])
    .timezone(zone)
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: `now-${board.back}`, to: 'now' })
    .refresh(board.refresh)
    .link(
      new DashboardLinkBuilder(language === 'vi' ? 'Các bảng' : 'Boards')
        .type(DashboardLinkType.Dashboards)
        .tags(['mach', language])
        .asDropdown(true)
        .keepTime(true),
    )
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .type(datasourceType)
        .label(language === 'vi' ? 'Nguồn' : 'Source')
        .current({ text: 'Mạch', value: datasourceUid, selected: true })
        .hide(VariableHide.HideVariable),
    )
    .withVariable(
      new TextBoxVariableBuilder('mach')
        .label('Mạch')
        .defaultValue(previewUrl)
        .current({ text: previewUrl, value: previewUrl })
        .hide(VariableHide.HideVariable),
    );
  for (const choice of board.choices ?? []) builder.withVariable(renderChoice(choice, language));
  const dashboard = builder.build();
  // The builders place panels by a rule that knows no rows of unequal height: places are worked out here.
  return { ...dashboard, panels: placedRows(board.rows, language) };
}

function renderChoice({ name, title, sql }: Choice, language: Language): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(title[language])
    .datasource(datasource)
    .query({
      rawSql: sql.trim(),
      query: sql.trim(),
      queryType: 'table',
      editorType: 'sql',
      format: 1,
      pluginVersion,
      refId: name,
    })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.Disabled)
    .multi(true)
    .includeAll(true)
    .current({ text: 'All', value: '$__all', selected: true });
}

function placedRows(rows: readonly Row[], language: Language): NonNullable<Dashboard['panels']> {
  const placed: NonNullable<Dashboard['panels']> = [];
  let y = 0;
  let id = 1;
  for (const { question, height, panels } of rows) {
    const row = new RowBuilder(question[language]).id(id++).collapsed(false).build();
    placed.push({ ...row, gridPos: { x: 0, y: y++, w: gridWidth, h: 1 } });
    let x = 0;
    for (const panel of panels) {
      if (x + panel.width > gridWidth) {
        x = 0;
        y += height;
      }
      const gridPos = { x, y, w: panel.width, h: height };
      placed.push({ ...renderPanel(panel, language), id: id++, gridPos });
      x += panel.width;
    }
    y += height;
  }
  return placed;
}
