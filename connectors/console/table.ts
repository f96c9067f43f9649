import { type Event, formatDuration, type Schema } from '../../runtime/stream/index.ts';

const cellWidthMax = 40;

/** Width on the screen: combining marks take no room, East Asian wide letters take two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text.normalize('NFC')) {
    if (/\p{Mn}|\p{Cf}/u.test(letter)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(letter)
      ? 2
      : 1;
  }
  return width;
}

/** Nothing that a row says may move the cursor or colour the terminal. */
const printable = (text: string) => text.replaceAll(/\p{Cc}/gu, ' ');

function cellOf(value: unknown, name: string, schema: Schema): string {
  if (value === null || value === undefined) return '-';
  const kind = schema.fields[name]?.type.kind;
  if (kind === 'timestamp' && typeof value === 'number' && Math.abs(value) <= 8.64e15)
    return new Date(value).toISOString();
  if (kind === 'duration' && typeof value === 'number' && value >= 0) return formatDuration(Math.round(value));
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(2);
  const text = printable(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > cellWidthMax ? `${text.slice(0, cellWidthMax - 1)}…` : text;
}

const pad = (text: string, width: number, isNumber: boolean) => {
  const room = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return isNumber ? room + text : text + room;
};

/** Rows as lines. The header is written at the start, and again when a column had to be made wider. */
export function formatTable(
  events: readonly Event[],
  { fields, schema, widths: before }: { fields: readonly string[]; schema: Schema; widths: readonly number[] },
): { text: string; widths: number[] } {
  const cells = events.map((event) => fields.map((name) => cellOf(event[name], name, schema)));
  const widths = fields.map((name, i) =>
    cells.reduce(
      (width, row) => Math.max(width, displayWidth(row[i] ?? '')),
      Math.max(before[i] ?? 0, displayWidth(name)),
    ),
  );
  const line = (row: readonly string[], numbers: readonly boolean[]) =>
    `${row
      .map((cell, i) => pad(cell, widths[i] ?? 0, numbers[i] ?? false))
      .join('  ')
      .trimEnd()}\n`;
  const numbers = fields.map((name) => ['int', 'float', 'duration'].includes(schema.fields[name]?.type.kind ?? ''));
  const isWider = widths.some((width, i) => width !== before[i]);
  const rule = widths.map((width) => '─'.repeat(width));
  const header = isWider && events.length > 0 ? line(fields, numbers) + line(rule, numbers) : '';
  return { text: header + cells.map((row) => line(row, numbers)).join(''), widths };
}
