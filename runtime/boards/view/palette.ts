/**
 * Colours by the names that Grafana gives them, chosen so that who cannot tell red from green can tell them apart (after Okabe and Ito, Color
 * Universal Design, 2008), for a dark ground. A colour never stands alone: `shapes` goes with the step of a threshold.
 */

const named: Readonly<Record<string, string>> = {
  green: '#2dbd91',
  yellow: '#f0e442',
  orange: '#f59f3d',
  red: '#ff6b57',
  blue: '#58b4ec',
  purple: '#c792dd',
  gray: '#8d99a8',
  white: '#f2f5f8',
  black: '#101418',
  text: '#e6ebf0',
  transparent: 'transparent',
};

const classic = [
  '#58b4ec',
  '#f59f3d',
  '#2dbd91',
  '#c792dd',
  '#f0e442',
  '#ff6b57',
  '#9bd3f5',
  '#d8b26e',
  '#7fd6bb',
  '#e6a5c9',
];

export function colorOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (/^#|^rgb|^hsl/.test(name)) return name;
  const [, base = ''] = /^(?:super-light-|light-|semi-dark-|dark-)?(\w+)$/.exec(name) ?? [];
  return named[base];
}

export const seriesColor = (index: number): string => classic[index % classic.length] as string;

/** One for each step of a threshold, from the lowest. */
export const shapes = ['●', '▲', '◆', '■', '✖', '★'] as const;

export const shapeOf = (step: number): string => shapes[Math.min(step, shapes.length - 1)] as string;

/** Black or white, whichever is easier to read on a colour (WCAG 2 contrast). */
export function inkOn(color: string): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return '#101418';
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return light > 0.179 ? '#101418' : '#ffffff';
}

/** The same hue, light enough to be read as a text on the dark ground of the page. */
export function readable(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color)
    ? `color-mix(in oklab, ${color} ${inkOn(color) === '#ffffff' ? 55 : 100}%, white)`
    : color;
}
