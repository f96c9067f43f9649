/** What becomes of tables: what the engine does by itself, what ClickHouse can do in place when it is told to, and what it cannot. */

import type { TableSpec } from '../../store/store.ts';
import { columnsOf, takesType } from '../../store/table.ts';

export type TableVerdict = 'unchanged' | 'created' | 'altered' | 'refused' | 'left';

export interface TableChange {
  readonly table: string;
  readonly verdict: TableVerdict;
  /** One line each. */
  readonly changes: readonly string[];
  /** What to do about a refusal. */
  readonly remedy?: string;
}

export function tableChanges(before: readonly TableSpec[], after: readonly TableSpec[]): TableChange[] {
  const old = new Map(before.map((table) => [table.name, table]));
  const kept = new Set(after.map(({ name }) => name));
  return [
    ...after.map((table) => {
      const known = old.get(table.name);
      return known ? changeOf(known, table) : { table: table.name, verdict: 'created' as const, changes: [] };
    }),
    ...before
      .filter(({ name }) => !kept.has(name))
      .map(({ name }) => ({
        table: name,
        verdict: 'left' as const,
        changes: ['nothing writes to it any more; the table stays, with its rows'],
      })),
  ];
}

function changeOf(before: TableSpec, after: TableSpec): TableChange {
  const table = after.name;
  const structure = structureChanges(before, after);
  if (structure.length > 0) {
    const remedy = `its engine and keys cannot be changed: write to a table of another name, or \`RENAME TABLE ${table} TO ${table}_before\` first`;
    return { table, verdict: 'refused', changes: structure, remedy };
  }
  const changes: string[] = [];
  const refused: string[] = [];
  const remedies: string[] = [];
  const old = new Map(columnsOf(before).map((column) => [column.name, column.type]));
  const wanted = columnsOf(after);
  for (const { name, type } of wanted) {
    const actual = old.get(name);
    if (actual === undefined)
      changes.push(`column ${name} (${type}) is added; rows that are there have its empty value`);
    else if (actual !== type && takesType(actual, type))
      changes.push(`column ${name} stays ${actual}, which takes ${type}`);
    else if (actual !== type) {
      refused.push(`column ${name} is ${actual} and would have to be ${type}`);
      remedies.push(remedyOf(after, name, { actual, type }));
    }
  }
  const names = new Set(wanted.map(({ name }) => name));
  for (const name of old.keys()) {
    if (!names.has(name)) changes.push(`column ${name} is written no more; it stays, empty in new rows`);
  }
  if (partitionOf(before) !== partitionOf(after)) {
    changes.push(`it stays partitioned by ${partitionOf(before)}, which cannot be changed; nothing is lost by it`);
  }
  if (before.keepMs !== after.keepMs) changes.push('rows are kept for another time, from the next merges on');
  if (refused.length > 0) {
    return { table, verdict: 'refused', changes: [...refused, ...changes], remedy: [...new Set(remedies)].join('; ') };
  }
  return { table, verdict: changes.length > 0 ? 'altered' : 'unchanged', changes };
}

function partitionOf({ partitionBy, timeField }: TableSpec): string {
  return partitionBy === undefined ? 'nothing' : `the ${partitionBy} of ${timeField}`;
}

function structureChanges(before: TableSpec, after: TableSpec): string[] {
  const changes: string[] = [];
  if (before.rows !== after.rows) changes.push(`rows: ${before.rows} would have to be ${after.rows}`);
  const key = ({ orderBy }: TableSpec) => orderBy.join(', ');
  if (key(before) !== key(after)) changes.push(`sorted by ${key(before)}, would have to be by ${key(after)}`);
  return changes;
}

/** Changes of a type that ClickHouse carries out on all rows without failing on any, as `ALTER TABLE ... MODIFY COLUMN`. */
function remedyOf(table: TableSpec, name: string, { actual, type }: { actual: string; type: string }): string {
  const another = 'write it to a column or a table of another name';
  if (table.orderBy.includes(name)) return `${name} is part of the sorting key, which cannot be changed: ${another}`;
  if (isSafeChange(actual, type)) {
    return `ClickHouse can do it in place: \`ALTER TABLE ${table.name} MODIFY COLUMN ${name} ${type}\`, then start again`;
  }
  return `not every ${actual} is a ${type}, so that ClickHouse cannot do it in place: ${another}`;
}

function isSafeChange(actual: string, type: string): boolean {
  const plain = (text: string) => text.replace(/LowCardinality\(((?:[^()]|\([^()]*\))*)\)/g, '$1');
  const [from, to] = [plain(actual), plain(type)];
  const inner = (text: string) => /^Nullable\((.*)\)$/.exec(text)?.[1] ?? text;
  // A null has no place in a column that is not nullable.
  if (from !== inner(from) && to === inner(to)) return false;
  const [a, b] = [inner(from), inner(to)];
  return a === b || b === 'String' || (a === 'Int64' && b === 'Float64') || (a === 'Bool' && b === 'Int64');
}
