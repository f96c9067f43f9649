/**
 * HL7 date-times: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ] (chapter 2A, DTM; TS before version 2.6). Milliseconds
 * written without the point, as some senders do, are read too.
 *
 * Without a zone of its own a value is in the zone of MSH-7 where that has one (the standard makes it the default of the whole
 * message), else in the zone of the source's options.
 */
import { localToUtc, zoneOffsetMs } from '../../runtime/stream/index.ts';

const pattern =
  /^(\d{4})(?:(0[1-9]|1[0-2])(?:(0[1-9]|[12]\d|3[01])(?:([01]\d|2[0-3])(?:([0-5]\d)(?:([0-5]\d|60)(?:\.(\d{1,6})|(\d{3}))?)?)?)?)?)?([+-]\d{4})?$/;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Default zone of a message: an IANA name, or minutes east of Greenwich. */
export type Zone = string | number;

/** Ms since the epoch, or undefined when the text is no HL7 date-time. Missing parts are taken as the earliest. */
export function parseTime(text: string, zone: Zone): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, year = '', month = '01', day = '01', hour = '0', minute = '0', second = '0', decimals, run, offset] = match;
  const fraction = decimals ?? run ?? '';
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  // Date.UTC rolls 31 February over; years below 100 are taken for the twentieth century.
  if (new Date(date).getUTCDate() !== Number(day) || Number(year) < 100) return undefined;
  const milliseconds = fraction === '' ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
  const local =
    date + Number(hour) * hourMs + Number(minute) * minuteMs + Math.min(Number(second), 59) * 1000 + milliseconds;
  if (offset !== undefined) return local - offsetMinutes(offset) * minuteMs;
  return typeof zone === 'number' ? local - zone * minuteMs : localToUtc(local, zone);
}

/** The zone written at the end of a date-time, in minutes east; undefined when there is none. */
export function zoneOf(text: string): number | undefined {
  const match = /\d([+-]\d{4})$/.exec(text);
  return match?.[1] === undefined ? undefined : offsetMinutes(match[1]);
}

/** The date of a date-time as it was written, without any shift: 1980, 1980-05, 1980-05-17. */
export function parseDate(text: string): string | undefined {
  if (parseTime(text, 0) === undefined) return undefined;
  const digits = /^\d+/.exec(text)?.[0] ?? '';
  if (digits.length >= 8) return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
  return digits.length >= 6 ? `${digits.slice(0, 4)}-${digits.slice(4, 6)}` : digits.slice(0, 4);
}

/** HL7 text of a time: 20260302070000.123+0700. */
export function formatTime(time: number, offsetMin: number): string {
  const local = new Date(time + offsetMin * minuteMs).toISOString().replace(/[-:TZ]/g, '');
  const sign = offsetMin < 0 ? '-' : '+';
  const minutes = Math.abs(offsetMin);
  return `${local}${sign}${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`;
}

function offsetMinutes(offset: string): number {
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5));
  return offset.startsWith('-') ? -minutes : minutes;
}

/** Minutes that a zone is east of Greenwich at a time. */
export function offsetMinutesAt(time: number, zone: string): number {
  return (zoneOffsetMs(zone, time) ?? 0) / minuteMs;
}
