/** Numbers with their units, in the writing of a language. Units have the names that Grafana gives them. */
import { type Language, localeOf } from './language.ts';

interface UnitForm {
  /** Stands behind the number. */
  readonly suffix?: string;
  readonly prefix?: string;
  /** The number is multiplied with it first. */
  readonly factor?: number;
  /** Decimals where the board does not say. */
  readonly decimals?: number;
}

/** Lengths of time, in seconds. */
const durations: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  dtdurations: 1,
  dtdurationms: 0.001,
};

const plain: Readonly<Record<string, UnitForm>> = {
  none: {},
  string: {},
  percent: { suffix: '%' },
  percentunit: { suffix: '%', factor: 100 },
  lengthkm: { suffix: ' km' },
  lengthm: { suffix: ' m' },
  cps: { suffix: '/s' },
  eps: { suffix: '/s' },
  ops: { suffix: '/s' },
  reqps: { suffix: '/s' },
  rps: { suffix: '/s' },
  wps: { suffix: '/s' },
  cpm: { suffix: '/min' },
  opm: { suffix: '/min' },
  celsius: { suffix: ' °C' },
};

const bytes: Readonly<Record<string, number>> = {
  bytes: 1_024,
  decbytes: 1_000,
  bits: 1_024,
  binBps: 1_024,
  Bps: 1_000,
};
const bytePrefixes = { 1024: ['', 'Ki', 'Mi', 'Gi', 'Ti'], 1000: ['', 'k', 'M', 'G', 'T'] } as const;

export interface NumberText {
  readonly number: string;
  /** With the space that belongs before it; empty where there is none. */
  readonly unit: string;
  readonly prefix: string;
}

const words = {
  vi: {
    ms: ' ms',
    s: ' giây',
    m: ' phút',
    h: ' giờ',
    d: ' ngày',
    thousand: ' nghìn',
    million: ' triệu',
    billion: ' tỉ',
  },
  en: { ms: ' ms', s: ' s', m: ' min', h: ' h', d: ' d', thousand: ' K', million: ' Mil', billion: ' Bil' },
} as const;

export function formatNumber(
  value: number,
  {
    unit = 'none',
    decimals,
    language,
  }: { unit?: string | undefined; decimals?: number | null | undefined; language: Language },
): NumberText {
  const write = (number: number, most?: number) =>
    new Intl.NumberFormat(localeOf(language), {
      minimumFractionDigits: decimals ?? 0,
      maximumFractionDigits: decimals ?? most ?? usefulDecimals(number),
    }).format(number);
  const [, where, text] = /^(suffix|prefix):(.*)$/.exec(unit) ?? [];
  if (where === 'suffix') return { prefix: '', number: write(value), unit: spaced(text ?? '') };
  if (where === 'prefix') return { prefix: text ?? '', number: write(value), unit: '' };
  const seconds = durations[unit];
  if (seconds !== undefined)
    return durationText(value, { seconds, language, write, isFixed: decimals !== undefined && decimals !== null });
  if (unit === 'short' || unit === 'locale') return shortText(value, unit, language, write);
  const base = bytes[unit];
  if (base) return byteText(value, base as 1_024 | 1_000, unit, write);
  const form = plain[unit];
  // A unit that is not known is a custom one: Grafana writes it behind the number.
  if (!form) return { prefix: '', number: write(value), unit: spaced(unit) };
  return {
    prefix: form.prefix ?? '',
    number: write(value * (form.factor ?? 1), form.decimals),
    unit: form.suffix ?? '',
  };
}

/** One space before a word; none before a sign. */
function spaced(text: string): string {
  const bare = text.trim();
  return bare === '' || /^[%°/]/.test(bare) ? bare : ` ${bare}`;
}

/** Three digits that mean something. */
function usefulDecimals(value: number): number {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return 0;
  return size >= 10 ? 1 : 2;
}

type Write = (value: number, most?: number) => string;

function durationText(
  value: number,
  { seconds, language, write, isFixed }: { seconds: number; language: Language; write: Write; isFixed: boolean },
): NumberText {
  const total = value * seconds;
  const size = Math.abs(total);
  const named = words[language];
  const give = (unit: 'ms' | 's' | 'm' | 'h' | 'd', in_: number): NumberText => ({
    prefix: '',
    number: write(total / in_, isFixed ? undefined : size / in_ < 10 && unit !== 'ms' ? 1 : 0),
    unit: named[unit],
  });
  if (size !== 0 && size < 1) return give('ms', 0.001);
  if (size < 60) return seconds >= 60 ? give('m', 60) : give('s', 1);
  if (size < 2 * 3_600) return give('m', 60);
  return size < 2 * 86_400 ? give('h', 3_600) : give('d', 86_400);
}

function shortText(value: number, unit: string, language: Language, write: Write): NumberText {
  const size = Math.abs(value);
  const named = words[language];
  if (unit === 'short' && size >= 1e9) return { prefix: '', number: write(value / 1e9, 1), unit: named.billion };
  if (unit === 'short' && size >= 1e6) return { prefix: '', number: write(value / 1e6, 1), unit: named.million };
  if (unit === 'short' && size >= 1e4) return { prefix: '', number: write(value / 1e3, 1), unit: named.thousand };
  return { prefix: '', number: write(value), unit: '' };
}

function byteText(value: number, base: 1_024 | 1_000, unit: string, write: Write): NumberText {
  const names = bytePrefixes[base];
  const power = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(base))));
  return {
    prefix: '',
    number: write(value / base ** power, 1),
    unit: ` ${names[power]}B${unit.endsWith('ps') ? '/s' : ''}`,
  };
}
