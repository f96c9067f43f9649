/** A query of a board or a rule as the store gets it: macros and variables filled in by the code of `mach boards`. */
import { panelSql } from '../../runtime/boards/ask-panel.ts';
import type { VariableValue } from '../../runtime/boards/interpolate.ts';

export interface Range {
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface ExpandOptions extends Range {
  readonly intervalMs: number;
  /** Chosen values by name; a variable that is not named stands for All. */
  readonly chosen?: Readonly<Record<string, readonly string[]>>;
}

/** Throws MACH3303 on a macro that is not known, and on a variable that stands elsewhere than in `$__conditionalAll`. */
export function expandQuery(sql: string, { chosen = {}, ...globals }: ExpandOptions): string {
  const names = [...sql.matchAll(/\$__conditionalAll\([^$]*\$\{(\w+):singlequote\}\), \$\1\)/g)].map(
    ([, name = '']) => name,
  );
  const variables = names.map((name): [string, VariableValue] => {
    const values = chosen[name];
    return [name, { values: values ?? [], isAll: values === undefined, isMulti: true, isFreeText: false }];
  });
  return panelSql(sql, globals, new Map(variables));
}
