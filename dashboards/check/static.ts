/** What can be said of the boards without a store. */
import { boards } from '../boards/index.ts';
import { outdatedFiles } from '../files.ts';
import { renderBoard } from '../kit/render.ts';
import { languages } from '../kit/text.ts';
import { schemaIsUpToDate } from '../schema/make.ts';
import { lintDashboard } from './lint.ts';
import { dashboardValidator } from './validate.ts';

/** A line for each problem. */
export function staticProblems(): string[] {
  const validate = dashboardValidator();
  const dashboards = boards.flatMap((board) => languages.map((language) => renderBoard(board, language)));
  return [
    ...(schemaIsUpToDate()
      ? []
      : ['dashboards/schema/classic.schema.json is not made from the types of this day: npm run boards']),
    ...outdatedFiles(),
    ...dashboards.flatMap(lintDashboard),
    ...dashboards.flatMap((dashboard) =>
      validate(JSON.parse(JSON.stringify(dashboard))).map((problem) => `${dashboard.uid}  schema: ${problem}`),
    ),
  ];
}
