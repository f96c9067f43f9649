/** What must be known about a statement to serve it: which sessions it goes to, its format, and where an insert's data begins. */

export type StatementKind = 'insert' | 'read' | 'command';

const leading = /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/;

const commentLength = (sql: string) => leading.exec(sql)?.[0].length ?? 0;

/** Inserts that carry data never wait behind queries; what may run for long or change tables has sessions of its own. */
export function statementKind(sql: string): StatementKind {
  const text = sql.slice(commentLength(sql), commentLength(sql) + 4_096).replace(/^[\s(]+/, '');
  if (/^INSERT\b/i.test(text)) return /\b(?:SELECT|WITH)\b/i.test(text) ? 'command' : 'insert';
  return /^(?:SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK|FROM)\b/i.test(text) ? 'read' : 'command';
}

/** Whether a statement writes data: not asked of a disk that is full, and looked at before it is answered. */
export function needsRoom(sql: string): boolean {
  const text = sql.slice(commentLength(sql), commentLength(sql) + 4_096);
  return /^(?:INSERT|CREATE|OPTIMIZE|ALTER(?![\s\S]*\b(?:DROP|REMOVE|DELETE)\b)|ATTACH|RENAME)\b/i.test(text);
}

/** Whether a statement may put parts in place that were detached, or that another table has. */
export function mayAttach(sql: string): boolean {
  return statementKind(sql) === 'command' && /\b(?:ATTACH|REPLACE|MOVE)\b/i.test(sql);
}

/** The format named at the end of a query. */
export function namedFormat(sql: string): string | undefined {
  return /\bFORMAT\s+([A-Za-z][A-Za-z0-9]*)\s*(?:SETTINGS\b[^;]*)?;?\s*$/i.exec(sql)?.[1];
}

export interface InsertHead {
  /** `INSERT INTO t (columns)` */
  readonly target: string;
  readonly settings: string;
  readonly format: string;
  /** Length of the head in the text, FORMAT and the one line break after it included. */
  readonly length: number;
}

const name = '(?:`(?:[^`\\\\]|\\\\.)+`|"(?:[^"\\\\]|\\\\.)+"|[A-Za-z_][A-Za-z0-9_]*)';
const insertHead = new RegExp(
  `^(\\s*INSERT\\s+INTO\\s+(?:TABLE\\s+)?${name}(?:\\s*\\.\\s*${name})?\\s*(?:\\(\\s*${name}(?:\\s*,\\s*${name})*\\s*\\))?)\\s*` +
    "(SETTINGS\\s+(?:[^']|'(?:[^'\\\\]|\\\\.)*')*?)?\\s*FORMAT\\s+([A-Za-z][A-Za-z0-9]*)[ \\t\\r]*(?:\\n|;\\s*$|$|(?=[\\s[{(]))",
  'i',
);

/** The head of `INSERT INTO t (...) [SETTINGS ...] FORMAT f`, or undefined for any other statement. */
export function parseInsertHead(sql: string): InsertHead | undefined {
  const start = commentLength(sql);
  const match = insertHead.exec(sql.slice(start));
  if (!match) return undefined;
  const [whole, target = '', settings = '', format = ''] = match;
  if (format.toLowerCase() === 'values') return undefined;
  return { target, settings, format, length: start + whole.length };
}

const contentTypes: Readonly<Record<string, string>> = {
  JSON: 'application/json; charset=UTF-8',
  JSONCompact: 'application/json; charset=UTF-8',
  JSONEachRow: 'application/x-ndjson; charset=UTF-8',
  JSONCompactEachRow: 'application/x-ndjson; charset=UTF-8',
  CSV: 'text/csv; charset=UTF-8; header=absent',
  CSVWithNames: 'text/csv; charset=UTF-8; header=present',
  TabSeparated: 'text/tab-separated-values; charset=UTF-8',
  TSV: 'text/tab-separated-values; charset=UTF-8',
};

export function contentTypeOf(format: string): string {
  return (
    contentTypes[format] ??
    (/^(?:Native|RowBinary|Arrow|Parquet|ORC|Avro)/.test(format)
      ? 'application/octet-stream'
      : 'text/plain; charset=UTF-8')
  );
}
