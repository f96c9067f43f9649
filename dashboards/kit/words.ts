/** Words that several boards use, so that a thing has one name and one look everywhere. */
import type { Link, Look, Word } from './look.ts';
import { palette, plainScale, rising, type Scale } from './palette.ts';
import { text } from './text.ts';

export const unknown: Word = { text: text('chưa biết', 'not known'), color: palette.unknown };
export const none: Word = { text: text('không có', 'none') };
export const silent: Word = { text: text('IM LẶNG', 'SILENT'), color: palette.unknown };

const levelScale: Scale = [
  { from: null, color: palette.unknown },
  { from: 1, color: palette.calm },
  { from: 2, color: palette.watch },
  { from: 3, color: palette.warning },
  { from: 4, color: palette.severe },
];

/** Overload level of an emergency department. */
export const level: Look = {
  title: text('Mức', 'Level'),
  unit: 'none',
  scale: levelScale,
  min: 0,
  max: 4,
  words: {
    0: { text: text('0 · im lặng', '0 · silent'), color: palette.unknown },
    1: { text: text('1 · bình thường', '1 · ordinary'), color: palette.calm },
    2: { text: text('2 · đông', '2 · busy'), color: palette.watch },
    3: { text: text('3 · rất đông', '3 · crowded'), color: palette.warning },
    4: { text: text('4 · quá tải', '4 · overloaded'), color: palette.severe },
  },
  absent: unknown,
};

/** Bands of NEDOCS (Weiss 2004): over 60 extremely busy, over 100 overcrowded, over 140 severely. */
export const nedocs: Look = {
  title: text('NEDOCS', 'NEDOCS'),
  unit: text(' điểm', ' points'),
  decimals: 0,
  scale: rising(61, 101, 141),
  absent: unknown,
};

export const hospital: Look = {
  title: text('Bệnh viện', 'Hospital'),
  link: {
    title: text('Xem bệnh viện này', 'Show this hospital'),
    url: '/d/mach-emergency?var-hospital=${__data.fields.hospital:percentencode}',
  },
};

/** From an alert to its cause: the page of the preview that tells what `mach why ALERT_ID` tells. */
export const whyLink: Link = {
  title: text('Vì sao có cảnh báo này?', 'Why is there this alert?'),
  url: '${mach}/why?result=${__data.fields.alert_id:percentencode}',
  newTab: true,
};

export const severity: Look = {
  title: text('Mức độ', 'Severity'),
  words: {
    1: { text: text('cảnh báo', 'alert'), color: palette.warning },
    2: { text: text('nghiêm trọng', 'severe'), color: palette.severe },
  },
};

export const patients: Look = { unit: text(' người', ' patients'), decimals: 0, scale: plainScale, absent: unknown };
export const ambulances: Look = { unit: text(' xe', ' ambulances'), decimals: 0, scale: plainScale, absent: unknown };
export const beds: Look = { unit: text(' giường', ' beds'), decimals: 0, scale: plainScale, absent: unknown };
export const calls: Look = { unit: text(' cuộc', ' calls'), decimals: 0, scale: plainScale, absent: unknown };
export const departments: Look = {
  unit: text(' khoa', ' departments'),
  decimals: 0,
  scale: plainScale,
  absent: unknown,
};
export const minutes: Look = { unit: 'm', decimals: 0, absent: unknown };
export const clock: Look = { unit: 'time:HH:mm:ss', absent: unknown };

/** Seconds from a call to its answer: the centre wants nine of ten within ten seconds. */
export const answerSeconds: Look = { unit: 's', decimals: 0, scale: rising(10, 20, 30), absent: none };
/** Minutes from a call to the first ambulance at the scene. */
export const arrivalMinutes: Look = { unit: 'm', decimals: 0, scale: rising(12, 15, 20), absent: none };
/** Since a feed was last heard, seconds. */
export const silence = (ordinarySeconds: number): Look => ({
  unit: 's',
  decimals: 0,
  scale: rising(ordinarySeconds / 2, ordinarySeconds, 3 * ordinarySeconds),
  absent: silent,
});
