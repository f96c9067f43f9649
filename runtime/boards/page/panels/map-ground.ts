/** What lies below the points of a map: the net, lines and names of places, the scale. */
import type { Language } from '../../view/language.ts';
import { type Box, type GeoJson, meet, outlinePath, type Projection, roundSteps } from '../../view/map.ts';
import { formatNumber } from '../../view/units.ts';
import { svg } from '../dom.ts';

export function net({ south, north, west, east, at, width, height }: Projection, language: Language): SVGElement {
  const [easterly, northerly] = language === 'vi' ? ['Đ', 'B'] : ['E', 'N'];
  const degrees = (value: number) => formatNumber(value, { decimals: 2, language }).number;
  const lines = [
    ...roundSteps(west, east, 6).map((longitude) => {
      const { x } = at({ latitude: south, longitude });
      return [
        svg('line', { x1: x, x2: x, y1: 0, y2: height }),
        svg('text', { x: x + 3, y: height - 5 }, `${degrees(longitude)}°${easterly}`),
      ];
    }),
    ...roundSteps(south, north, 5).map((latitude) => {
      const { y } = at({ latitude, longitude: west });
      return [
        svg('line', { x1: 0, x2: width, y1: y, y2: y }),
        svg('text', { x: 4, y: y - 4 }, `${degrees(latitude)}°${northerly}`),
      ];
    }),
  ];
  return svg('g', { class: 'net', 'aria-hidden': 'true' }, lines);
}

/** Lines and areas, and the names of places where nothing else stands. */
export function ground({ features }: GeoJson, projection: Projection, taken: Box[]): SVGElement {
  const parts = features.map(({ geometry, properties }) => {
    const name = String(properties?.name ?? '');
    if (geometry.type === 'Point')
      return placeName(geometry.coordinates as readonly number[], name, { projection, taken });
    const kind = geometry.type.includes('Line') ? 'water' : '';
    return svg('path', { d: outlinePath(geometry, projection), class: `ground ${kind}`, 'data-name': name });
  });
  return svg('g', { 'aria-hidden': 'true' }, parts);
}

const placeFontSize = 12;
/** At the left stand the degrees of the net. */
const netLabelWidth = 56;

function placeName(
  [longitude = 0, latitude = 0]: readonly number[],
  name: string,
  { projection, taken }: { projection: Projection; taken: Box[] },
): SVGElement | null {
  const { x, y } = projection.at({ latitude, longitude });
  const width = name.length * placeFontSize * 0.56;
  const box = { x: x - width / 2 - 4, y: y - placeFontSize, width: width + 8, height: placeFontSize * 1.6 };
  const isInside = box.x > netLabelWidth && box.y > 0 && box.x + width < projection.width && y + 8 < projection.height;
  if (!isInside || taken.some((other) => meet(box, other))) return null;
  taken.push(box);
  return svg('text', { x, y, class: 'place', 'text-anchor': 'middle', 'font-size': placeFontSize }, name);
}

export function scaleBar({ width, height, kmPerUnit }: Projection): SVGElement {
  const km = [1, 2, 5, 10, 20, 50].findLast((one) => one / kmPerUnit < width / 5) ?? 1;
  const length = km / kmPerUnit;
  const [x, y] = [width - length - 14, height - 26];
  return svg(
    'g',
    { class: 'scale', 'aria-hidden': 'true' },
    svg('path', { d: `M${x},${y - 6}v6h${length}v-6`, fill: 'none' }),
    svg('text', { x: x + length / 2, y: y - 8, 'text-anchor': 'middle' }, `${km} km`),
  );
}
