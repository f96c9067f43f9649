/** Signs on buttons, drawn: fonts of a system may lack them. */
import { svg } from './dom.ts';

const paths = {
  refresh: 'M17 4v5h-5M3 16v-5h5M4.6 8A6.5 6.5 0 0 1 16 6.4L17 9M3 11l1 2.600A6.500 6.500 0 0 0 15.400 12',
  kiosk: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  leave: 'M7 3v4H3M17 7h-4V3M13 17v-4h4M3 13h4v4',
} as const;

export function icon(name: keyof typeof paths): SVGElement {
  const path = svg('path', {
    d: paths[name],
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '2',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  });
  return svg('svg', { viewBox: '0 0 20 20', width: '20', height: '20', 'aria-hidden': 'true', class: 'sign' }, path);
}
