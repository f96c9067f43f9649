/**
 * The few colours of all boards. They can be told apart with every form of colour blindness (`palette.test.ts` works it out), grow
 * with severity from calm blue to magenta, and never stand alone: a word or a number is always beside them.
 */
export const palette = {
  calm: '#3E8EDE',
  watch: '#F2E14C',
  warning: '#F08A24',
  severe: '#C2185B',
  /** Not known, or silent: never the colour of something good. */
  unknown: '#8A8F98',
  /** A quantity that is neither good nor bad. */
  plain: '#B7C4D6',
} as const;

export type Color = (typeof palette)[keyof typeof palette];

export interface Step {
  /** The value from which the colour holds; the first step has none. */
  readonly from: number | null;
  readonly color: Color;
}
export type Scale = readonly Step[];

/** Colours of a number that is the worse the higher it is. */
export function rising(watch: number, warning: number, severe: number): Scale {
  return [
    { from: null, color: palette.calm },
    { from: watch, color: palette.watch },
    { from: warning, color: palette.warning },
    { from: severe, color: palette.severe },
  ];
}

/** Colours of a number that is the worse the lower it is. */
export function falling(calm: number, watch: number, warning: number): Scale {
  return [
    { from: null, color: palette.severe },
    { from: warning, color: palette.warning },
    { from: watch, color: palette.watch },
    { from: calm, color: palette.calm },
  ];
}

/** A number that is neither good nor bad. */
export const plainScale: Scale = [{ from: null, color: palette.plain }];
/** Good while there is none. */
export const noneScale: Scale = [
  { from: null, color: palette.calm },
  { from: 1, color: palette.severe },
];
