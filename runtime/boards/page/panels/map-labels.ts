/** Names beside the points of a map, where nothing else stands. */
import type { Display } from '../../view/display.ts';
import { type Box, meet, type Projection } from '../../view/map.ts';
import { svg } from '../dom.ts';

export interface Point {
  readonly latitude: number;
  readonly longitude: number;
  readonly row: number;
  readonly shown: Display;
  readonly size: number;
  readonly label: string;
}

/** Beside the point where there is room; none where there is not: the tip tells it. */
export function labelAt(
  { label, size, shown }: Point,
  {
    x,
    y,
    fontSize,
    projection,
    taken,
  }: { x: number; y: number; fontSize: number; projection: Projection; taken: Box[] },
): SVGElement | null {
  if (label === '') return null;
  const whole = [label, ...(shown.isMissing ? [] : [shown.text])];
  // Where there is no room for the state, its sign and its colour tell it.
  for (const lines of [whole, [label]]) {
    const free = freePlace(lines, { x, y, size, fontSize, projection, taken });
    if (!free) continue;
    taken.push(free.box);
    return labelText(lines, free, fontSize);
  }
  return null;
}

interface Free {
  readonly box: Box;
  readonly anchor: 'start' | 'middle' | 'end';
}

function freePlace(
  lines: readonly string[],
  args: { x: number; y: number; size: number; fontSize: number; projection: Projection; taken: readonly Box[] },
): Free | undefined {
  const { x, y, size, fontSize, projection, taken } = args;
  const width = Math.max(...lines.map((line) => line.length)) * fontSize * 0.6;
  const height = lines.length * fontSize * 1.15;
  const places = [
    { x: x + size + 5, y: y - height / 2, anchor: 'start' },
    { x: x - size - 5 - width, y: y - height / 2, anchor: 'end' },
    { x: x - width / 2, y: y - size - height - 3, anchor: 'middle' },
    { x: x - width / 2, y: y + size + 3, anchor: 'middle' },
  ] as const;
  for (const { anchor, ...corner } of places) {
    const box = { ...corner, width, height };
    const inside =
      box.x > 2 && box.y > 2 && box.x + width < projection.width - 2 && box.y + height < projection.height - 2;
    if (inside && !taken.some((other) => meet(box, other))) return { box, anchor };
  }
  return undefined;
}

function labelText(lines: readonly string[], { box, anchor }: Free, fontSize: number): SVGElement {
  const anchorX = anchor === 'start' ? box.x : anchor === 'end' ? box.x + box.width : box.x + box.width / 2;
  const spans = lines.map((line, index) =>
    svg(
      'tspan',
      { x: anchorX, dy: index === 0 ? fontSize : fontSize * 1.12, class: index === 0 ? 'map-name' : 'map-state' },
      line,
    ),
  );
  return svg('text', { class: 'map-label', x: anchorX, y: box.y, 'text-anchor': anchor, 'font-size': fontSize }, spans);
}
