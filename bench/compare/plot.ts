/** Plots as plain SVG text: bars in groups, and lines over sizes. */

import type { Spread } from './spread.ts';

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Between the axis and the first size of a line. */
  readonly inset: number;
}

const frame: Frame = { width: 960, height: 420, left: 70, right: 16, top: 58, bottom: 46, inset: 30 };
const colours = ['#0b6e99', '#d9730d', '#a3541c', '#6c8f3d', '#6940a5', '#9b9a97', '#ad1a72', '#37352f'];
/** Of a plot without a figure. */
const emptyAxis = [1, 10];

export interface Series {
  readonly name: string;
  /** Absent where there is no figure. */
  readonly values: readonly (number | undefined)[];
}

export interface PlotText {
  readonly title: string;
  readonly unit: string;
}

/** On a logarithmic axis: contenders are often tens of times apart. */
export function barPlot(text: PlotText, groups: readonly string[], series: readonly Series[]): string {
  const axis = logAxis(series.flatMap(({ values }) => values.filter((value) => value !== undefined)));
  const groupWidth = (frame.width - frame.left - frame.right) / Math.max(1, groups.length);
  const barWidth = (groupWidth * 0.84) / Math.max(1, series.length);
  const parts: string[] = [...axis.lines];
  groups.forEach((group, at) => {
    const from = frame.left + at * groupWidth;
    parts.push(label(from + groupWidth / 2, frame.height - frame.bottom + 18, group, 'middle'));
    series.forEach(({ name, values }, index) => {
      const value = values[at];
      if (value === undefined) return;
      const y = axis.place(value);
      const x = from + groupWidth * 0.08 + index * barWidth;
      const height = frame.height - frame.bottom - y;
      parts.push(
        `<rect x="${n(x)}" y="${n(y)}" width="${n(barWidth * 0.92)}" height="${n(height)}" fill="${colour(index)}">` +
          `<title>${escaped(`${group}, ${name}: ${Math.round(value).toLocaleString('en')} ${text.unit}`)}</title></rect>`,
      );
    });
  });
  return picture(text, series, parts);
}

export interface PlotPoint {
  readonly size: number;
  readonly value: Spread;
}

/** Both axes are logarithmic: a line that falls by as much as it goes on is a cost that grows with its size. */
export function linePlot(
  text: PlotText & { readonly sizes: string },
  series: readonly { readonly name: string; readonly points: readonly PlotPoint[] }[],
): string {
  const points = series.flatMap((one) => one.points);
  const axis = logAxis(points.flatMap(({ value }) => [value.least, value.most]));
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b);
  const [low, high] = [Math.log10(sizes[0] ?? 1), Math.log10(sizes.at(-1) ?? 1)];
  const room = frame.width - frame.left - frame.right - 2 * frame.inset;
  const across = (size: number) =>
    frame.left + frame.inset + (high > low ? ((Math.log10(size) - low) / (high - low)) * room : room / 2);
  const bottom = frame.height - frame.bottom;
  const parts = [
    ...axis.lines,
    ...sizes.map((size) => label(across(size), bottom + 18, shortNumber(size), 'middle')),
    label(frame.width - frame.right, bottom + 38, text.sizes, 'end'),
  ];
  for (const [index, { name, points: own }] of series.entries()) {
    const places = own.map(({ size, value }) => `${n(across(size))},${n(axis.place(value.median))}`);
    parts.push(`<polyline points="${places.join(' ')}" fill="none" stroke="${colour(index)}" stroke-width="2"/>`);
    for (const { size, value } of own) {
      const { least, median, most } = value;
      const x = n(across(size));
      const told = [median, least, most].map((one) => Number(one.toPrecision(4)).toLocaleString('en'));
      parts.push(
        `<line x1="${x}" x2="${x}" y1="${n(axis.place(least))}" y2="${n(axis.place(most))}" stroke="${colour(index)}"/>`,
        `<circle cx="${x}" cy="${n(axis.place(median))}" r="3.5" fill="${colour(index)}">` +
          `<title>${escaped(`${name}, ${size.toLocaleString('en')}: ${told[0]} (${told[1]} to ${told[2]}) ${text.unit}`)}</title></circle>`,
      );
    }
  }
  return picture(text, series, parts);
}

function logAxis(given: readonly number[]): { place(value: number): number; lines: string[] } {
  const values = given.length > 0 ? given : emptyAxis;
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  const room = frame.height - frame.top - frame.bottom;
  const place = (value: number) => frame.height - frame.bottom - ((Math.log10(value) - low) / (high - low)) * room;
  const lines: string[] = [];
  for (let decade = low; decade <= high; decade++) {
    const y = place(10 ** decade);
    lines.push(
      `<line x1="${frame.left}" x2="${frame.width - frame.right}" y1="${n(y)}" y2="${n(y)}" stroke="#ddd"/>`,
      label(frame.left - 8, y + 4, shortNumber(10 ** decade), 'end'),
    );
  }
  return { place, lines };
}

function picture({ title, unit }: PlotText, series: readonly Pick<Series, 'name'>[], parts: readonly string[]): string {
  let x = frame.left;
  const legend = series.map(({ name }, index) => {
    const at = x;
    x += 30 + name.length * 7.2;
    return `<rect x="${n(at)}" y="32" width="12" height="12" fill="${colour(index)}"/>${label(at + 17, 42, name, 'start')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${frame.width} ${frame.height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(`${title} (${unit})`)}</title>`,
    `<rect width="${frame.width}" height="${frame.height}" fill="white"/>`,
    `<text x="${frame.left}" y="20" font-size="15">${escaped(`${title} (${unit})`)}</text>`,
    ...legend,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`;
  return value >= 1e3 ? `${value / 1e3} k` : String(value);
}

const n = (value: number) => value.toFixed(1).replace(/\.0$/, '');
const colour = (index: number) => colours[index % colours.length] as string;
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
