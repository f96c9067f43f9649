/** Words that several boards use, so that a thing has one name and one look everywhere. */
import type { Choice } from './board.ts';
import type { Look, Word } from './look.ts';
import { palette, plainScale, rising, type Scale } from './palette.ts';
import { hospitalRegister, rowsMax } from './sql.ts';
import { text } from './text.ts';

export const unknown: Word = { text: text('chưa biết', 'not known'), color: palette.unknown };
export const none: Word = { text: text('không có', 'none') };
export const silent: Word = { text: text('IM LẶNG', 'SILENT'), color: palette.unknown };

export const levelScale: Scale = [
  { from: null, color: palette.unknown },
  { from: 1, color: palette.calm },
  { from: 2, color: palette.watch },
  { from: 3, color: palette.warning },
  { from: 4, color: palette.severe },
];

/** Overload level of an emergency department. */
export const level: Look = {
  title: text('Mức', 'Level'),
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

/** Bands of NEDOCS (Weiss 2004): 100 is overcrowded, 140 severely. */
export const nedocs: Look = {
  title: text('NEDOCS', 'NEDOCS'),
  unit: text(' điểm', ' points'),
  decimals: 0,
  scale: rising(60, 100, 140),
  absent: unknown,
};

export const hospital: Look = {
  title: text('Bệnh viện', 'Hospital'),
  link: {
    title: text('Xem bệnh viện này', 'Show this hospital'),
    url: '/d/mach-emergency?var-hospital=${__data.fields.hospital:percentencode}',
  },
};

export const patients: Look = { unit: text(' người', ' patients'), decimals: 0, scale: plainScale, absent: unknown };
export const ambulances: Look = { unit: text(' xe', ' ambulances'), decimals: 0, scale: plainScale, absent: unknown };
export const minutes: Look = { unit: 'm', decimals: 0, absent: unknown };
export const clock: Look = { unit: 'time:HH:mm:ss', absent: unknown };

/** The choice of hospitals above a board. */
export const hospitalChoice: Choice = {
  name: 'hospital',
  title: text('Bệnh viện', 'Hospital'),
  sql: `SELECT hospital, if(empty(ifNull(name, '')), hospital, concat(hospital, ' · ', name)) AS name FROM (${hospitalRegister}) ORDER BY length(hospital), hospital LIMIT ${rowsMax}`,
};
