/** One look at a running topology, as text. */
import type { EngineStatus, NodeStatus } from '../observe/status.ts';
import { formatDuration } from '../stream/options.ts';

export interface TableHead {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Where a line would be wider than the terminal, columns are left out in this order, 1 first; those without one stay. */
  readonly leaves?: number;
}

interface Column extends TableHead {
  cell(node: NodeStatus, before: NodeStatus | undefined, elapsedMs: number): string;
}

const perSecond = (now: number, before: number | undefined, elapsedMs: number) =>
  elapsedMs <= 0 ? '' : (((now - (before ?? 0)) * 1_000) / elapsedMs).toFixed(0);
const share = (part: number, whole: number) =>
  whole <= 0 ? '' : `${Math.min(100, (100 * part) / whole).toFixed(0)} %`;
/** Of operators: time in the operator itself for each event since the look before. */
function timePerEvent(node: NodeStatus, before: NodeStatus | undefined): string {
  const events = node.in - (before?.in ?? 0);
  if (node.kind !== 'operator' || events <= 0) return '';
  return ((1_000 * (node.busyMs - (before?.busyMs ?? 0))) / events).toFixed(1);
}

const some = (count: number) => (count === 0 ? '' : String(count));

const columns: readonly Column[] = [
  { title: 'NODE', align: 'left', cell: (node) => node.id },
  { title: 'KIND', align: 'left', leaves: 6, cell: (node) => node.definition },
  { title: 'IN/s', align: 'right', cell: (node, before, elapsed) => perSecond(node.in, before?.in, elapsed) },
  { title: 'OUT/s', align: 'right', cell: (node, before, elapsed) => perSecond(node.out, before?.out, elapsed) },
  { title: 'TOTAL', align: 'right', leaves: 7, cell: (node) => String(node.in) },
  { title: 'LATE', align: 'right', cell: (node) => some(node.late) },
  { title: 'DROPPED', align: 'right', cell: (node) => some(node.dropped) },
  { title: 'DEAD', align: 'right', cell: (node) => some(node.dead) },
  { title: 'QUEUE', align: 'right', cell: (node) => some(node.queue) },
  {
    title: 'BUSY',
    align: 'right',
    cell: (node, before, elapsed) => share(node.busyMs - (before?.busyMs ?? 0), elapsed),
  },
  {
    title: 'HELD',
    align: 'right',
    leaves: 2,
    cell: (node, before, elapsed) => share(node.backpressuredMs - (before?.backpressuredMs ?? 0), elapsed),
  },
  {
    title: 'µs/EVENT',
    align: 'right',
    leaves: 1,
    cell: (node, before) => timePerEvent(node, before),
  },
  { title: 'KEYS', align: 'right', leaves: 3, cell: (node) => some(node.stateKeys) },
  {
    title: 'WATERMARK',
    align: 'right',
    leaves: 5,
    cell: (node) => (node.watermark === null ? '' : new Date(node.watermark).toISOString().slice(11, 19)),
  },
  {
    title: 'LAG',
    align: 'right',
    cell: (node) => (node.lagMs === null ? '' : formatDuration(Math.max(0, Math.round(node.lagMs / 1_000) * 1_000))),
  },
  {
    title: 'p50/p99 ms',
    align: 'right',
    cell: ({ latencyMs }) => (latencyMs ? `${latencyMs.p50.toFixed(0)}/${latencyMs.p99.toFixed(0)}` : ''),
  },
  { title: '', align: 'left', leaves: 4, cell: (node) => node.detail ?? (node.idle ? 'idle' : '') },
];

/** `width`: columns of the terminal. */
export function topScreen(before: EngineStatus, now: EngineStatus, width?: number): string {
  const elapsedMs = now.at - before.at;
  const rows = now.nodes.map((node) => {
    const old = before.nodes.find(({ id }) => id === node.id);
    return columns.map((column) => column.cell(node, old, elapsedMs));
  });
  return `${headOf(before, now, elapsedMs)}\n\n${formatTable(columns, rows, width)}`;
}

function headOf(before: EngineStatus, now: EngineStatus, elapsedMs: number): string {
  const { accounting, stage } = now;
  const busy = share(stage.busyMs - before.stage.busyMs, elapsedMs);
  const held = share(stage.backpressuredMs - before.stage.backpressuredMs, elapsedMs);
  const behind = stage.lastSequence - stage.sequence;
  return [
    `${now.topology}  ${now.state}  up ${formatDuration(Math.round(now.uptimeMs / 1_000) * 1_000)}  engine time ${new Date(now.engineTime).toISOString().slice(0, 19)}Z`,
    `in ${accounting.in} = delivered ${accounting.delivered} + filtered ${accounting.filtered} + late ${accounting.late} + dropped ${accounting.dropped} + dead-lettered ${accounting.dead_lettered}${accounting.redriven > 0 ? `  (${accounting.redriven} dead letters redriven)` : ''}`,
    `stage busy ${busy}, backpressured ${held}, ${behind} messages behind, ${stage.checkpoints} checkpoints`,
    ...(now.logSilentMs > 0
      ? [`the log has not answered for ${formatDuration(Math.ceil(now.logSilentMs / 1_000) * 1_000)}`]
      : []),
  ].join('\n');
}

/** Columns as wide as their widest cell; lines no longer than `width`, which leaves out columns first and cuts then. */
export function formatTable(
  heads: readonly TableHead[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const widths = heads.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const shown = columnsThatFit(heads, widths, width);
  const line = (cells: readonly string[]) =>
    shown
      .map((at) => {
        const cell = cells[at] ?? '';
        return heads[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
      })
      .join('  ')
      .trimEnd()
      .slice(0, width);
  return [line(heads.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

function columnsThatFit(heads: readonly TableHead[], widths: readonly number[], width: number): number[] {
  let shown = heads.map((_, at) => at);
  const leaving = shown
    .filter((at) => heads[at]?.leaves !== undefined)
    .sort((a, b) => (heads[a]?.leaves ?? 0) - (heads[b]?.leaves ?? 0));
  for (const next of leaving) {
    const needed = shown.reduce((sum, at) => sum + (widths[at] ?? 0) + 2, -2);
    if (needed <= width) break;
    shown = shown.filter((at) => at !== next);
  }
  return shown;
}
