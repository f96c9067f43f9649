/** Times: `now-6h`, instants in the zone of the board, lengths. */
import { type Language, localeOf } from './language.ts';

export const defaultZone = 'Asia/Ho_Chi_Minh';

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};

/** `now`, `now-6h`, `now/d`, `now-1d/d`, ISO 8601 or ms; undefined when it is none of these. `end`: rounds up. */
export function parseTime(
  text: string,
  now: number,
  { zone, end = false }: { zone: string; end?: boolean },
): number | undefined {
  if (/^\d{10,}$/.test(text)) return Number(text);
  if (!text.startsWith('now')) {
    const instant = Date.parse(text);
    return Number.isNaN(instant) ? undefined : instant;
  }
  const [, sign, count, unit, round] = /^now(?:([+-])(\d+)([smhdwMy]))?(?:\/([smhdw]))?$/.exec(text) ?? [];
  if (text !== 'now' && sign === undefined && round === undefined) return undefined;
  const moved = now + (sign === '-' ? -1 : 1) * Number(count ?? 0) * (unitMs[unit ?? 's'] as number);
  return round === undefined ? moved : roundTime(moved, round, { zone, end });
}

/** Weeks begin on Monday. */
function roundTime(ms: number, unit: string, { zone, end }: { zone: string; end: boolean }): number {
  const size = unitMs[unit] as number;
  const shift = zoneOffsetMs(ms, zone) - (unit === 'w' ? 4 * 86_400_000 : 0);
  const start = Math.floor((ms + shift) / size) * size - shift;
  return end ? start + size - 1 : start;
}

/** How far the clocks of a zone are ahead of UTC. */
export function zoneOffsetMs(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const there = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return there - Math.floor(ms / 1_000) * 1_000;
}

const styles = {
  second: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  minute: { hour: '2-digit', minute: '2-digit' },
  moment: { day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit' },
  day: { day: '2-digit', month: '2-digit' },
  whole: { day: '2-digit', month: '2-digit', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
} as const satisfies Readonly<Record<string, Intl.DateTimeFormatOptions>>;

export type TimeStyle = keyof typeof styles;

const formatters = new Map<string, Intl.DateTimeFormat>();

export function formatTime(
  ms: number,
  { zone, language, style }: { zone: string; language: Language; style: TimeStyle },
): string {
  const key = `${zone} ${language} ${style}`;
  const formatter =
    formatters.get(key) ??
    new Intl.DateTimeFormat(localeOf(language), { timeZone: zone, hourCycle: 'h23', ...styles[style] });
  formatters.set(key, formatter);
  if (style === 'moment' || style === 'day') return slashed(formatter, ms);
  return formatter.format(ms);
}

/** `10:30 27/11`: the hour first, it is what is looked for. */
function slashed(formatter: Intl.DateTimeFormat, ms: number): string {
  const parts = new Map(formatter.formatToParts(ms).map(({ type, value }) => [type, value]));
  const day = `${parts.get('day')}/${parts.get('month')}`;
  return parts.has('hour') ? `${parts.get('hour')}:${parts.get('minute')} ${day}` : day;
}

/** `12 phút`, the largest unit alone. */
export function ageText(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const vi = language === 'vi';
  if (seconds < 90) return `${seconds} ${vi ? 'giây' : 's'}`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} ${vi ? 'phút' : 'min'}`;
  if (seconds < 36 * 3_600) return `${Math.round(seconds / 3_600)} ${vi ? 'giờ' : 'h'}`;
  return `${Math.round(seconds / 86_400)} ${vi ? 'ngày' : 'd'}`;
}

/** Of the refresh of a board: `10s`, `1m`; undefined for off. */
export function refreshMs(text: string | boolean | undefined): number | undefined {
  const [, count, unit] = /^(\d+)(s|m|h)$/.exec(String(text ?? '')) ?? [];
  return count === undefined ? undefined : Number(count) * (unitMs[unit as string] as number);
}
