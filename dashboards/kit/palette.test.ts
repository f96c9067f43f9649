/** The colours of the boards, as people with each form of colour blindness see them. */
import { describe, expect, it } from 'vitest';
import { palette } from './palette.ts';

type Vector = readonly [number, number, number];

/** Machado, Oliveira and Fernandes 2009, severity 1, in linear RGB. */
const forms: Readonly<Record<string, readonly Vector[]>> = {
  'nobody blind': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const linear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const rgb = (hex: string): Vector =>
  [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255)) as unknown as Vector;
const times = (rows: readonly Vector[], [a, b, c]: Vector): Vector =>
  rows.map(([x, y, z]) => Math.min(1, Math.max(0, x * a + y * b + z * c))) as unknown as Vector;

/** CIE L*a*b*, D65. */
function lab(color: Vector): Vector {
  const [x, y, z] = times(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    color,
  );
  const f = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);
  const [fx, fy, fz] = [f(x / 0.95047), f(y), f(z / 1.08883)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

const distance = (one: Vector, other: Vector) => Math.hypot(...one.map((part, at) => part - (other[at] ?? 0)));

/** CIE76; 2.3 is what an eye can just tell apart side by side, this is what it tells apart across a room. */
const clearlyDifferent = 14;
const levels = ['calm', 'watch', 'warning', 'severe', 'unknown'] as const;
const pairs = levels.flatMap((one, at) => levels.slice(at + 1).map((other) => [one, other] as const));

describe('the palette', () => {
  it.each(Object.keys(forms))('%s: every two states can be told apart', (form) => {
    for (const [one, other] of pairs) {
      const seen = (name: (typeof levels)[number]) => lab(times(forms[form] ?? [], rgb(palette[name])));
      expect(distance(seen(one), seen(other)), `${one} and ${other}`).toBeGreaterThan(clearlyDifferent);
    }
  });
});
