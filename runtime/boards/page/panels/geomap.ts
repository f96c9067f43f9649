/** Points on a map that needs no server of tiles. */
import { type Display, display } from '../../view/display.ts';
import type { Language } from '../../view/language.ts';
import {
  type Box,
  fitPlaces,
  type GeoJson,
  meet,
  outlinePath,
  type Projection,
  roundSteps,
  signPath,
} from '../../view/map.ts';
import { colorOf } from '../../view/palette.ts';
import { displayName } from '../../view/series.ts';
import { columnNamed, isHidden, type Table } from '../../view/table.ts';
import { formatNumber } from '../../view/units.ts';
import { h, svg } from '../dom.ts';
import { baseMap } from './base-map.ts';
import type { DrawPanel, PanelContext } from './context.ts';

interface Layer {
  readonly type?: string;
  readonly location?: { readonly latitude?: string; readonly longitude?: string };
  readonly config?: {
    readonly src?: string;
    readonly style?: {
      readonly color?: { readonly field?: string; readonly fixed?: string };
      readonly size?: {
        readonly field?: string;
        readonly fixed?: number;
        readonly min?: number;
        readonly max?: number;
        readonly maximum?: number;
      };
      readonly text?: { readonly field?: string };
    };
  };
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
  readonly row: number;
  readonly shown: Display;
  readonly size: number;
  readonly label: string;
}

const ink = '#0c1014';

export const drawGeomap: DrawPanel = (body, context) => {
  const options = (context.panel.options ?? {}) as { layers?: readonly Layer[]; basemap?: Layer };
  const layer = options.layers?.find(({ type }) => type === 'markers') ?? {};
  const table = context.tables[0];
  const points = table ? pointsOf(table, layer, context) : [];
  if (!table || points.length === 0) return 0;
  const draw = (outline?: GeoJson) => {
    const box = { width: Math.max(body.clientWidth, 240), height: Math.max(body.clientHeight, 200) };
    const projection = fitPlaces(points, box);
    const taken: Box[] = [];
    const drawn = marks(points, projection, { table, layer, context, body, taken });
    const picture = svg(
      'svg',
      {
        class: 'map',
        viewBox: `0 0 ${box.width} ${box.height}`,
        width: box.width,
        height: box.height,
        role: 'group',
        'aria-label': context.panel.title,
      },
      net(projection, context.language),
      outline && ground(outline, projection, taken),
      drawn,
      scaleBar(projection),
    );
    body.replaceChildren(picture, h('div', { class: 'map-tip', role: 'status', hidden: true }));
  };
  draw();
  void baseMap(options.basemap?.config?.src).then((outline) => outline && draw(outline));
  return points.length;
};

function pointsOf(table: Table, { location, config }: Layer, context: PanelContext): Point[] {
  const { color, size, text } = config?.style ?? {};
  const latitude = columnNamed(table, location?.latitude ?? 'latitude');
  const longitude = columnNamed(table, location?.longitude ?? 'longitude');
  const colored = columnNamed(table, color?.field);
  const sized = columnNamed(table, size?.field);
  const named = columnNamed(table, text?.field);
  const sizeMax = size?.maximum ?? Math.max(1, ...(sized?.values.map(Number).filter(Number.isFinite) ?? []));
  return Array.from({ length: table.length }, (_, row): Point | undefined => {
    const place = { latitude: latitude?.values[row], longitude: longitude?.values[row] };
    if (typeof place.latitude !== 'number' || typeof place.longitude !== 'number') return undefined;
    const value = colored?.values[row];
    const share = Math.max(0, Math.min(1, Number(sized?.values[row] ?? 0) / sizeMax || 0));
    const least = size?.min ?? 6;
    return {
      latitude: place.latitude,
      longitude: place.longitude,
      row,
      shown: display(value ?? null, colored?.kind ?? 'number', colored?.config ?? {}, context),
      size: sized ? least + ((size?.max ?? 22) - least) * share : (size?.fixed ?? 9),
      label: named ? display(named.values[row], named.kind, named.config, context).text : '',
    };
  })
    .filter((one) => one !== undefined)
    .sort((one, other) => (other.shown.step ?? -1) - (one.shown.step ?? -1) || other.size - one.size);
}

interface MarkArgs {
  readonly table: Table;
  readonly layer: Layer;
  readonly context: PanelContext;
  readonly body: HTMLElement;
  /** Where something stands already. */
  readonly taken: Box[];
}

/** The worst first, so that their names find room; drawn last, so that they lie on top. One stop for the keyboard, arrows go on. */
function marks(points: readonly Point[], projection: Projection, args: MarkArgs): SVGElement {
  const fontSize = Math.max(13, Math.min(19, projection.width / 52));
  const { taken } = args;
  for (const point of points) {
    const { x, y } = projection.at(point);
    taken.push({ x: x - point.size, y: y - point.size, width: 2 * point.size, height: 2 * point.size });
  }
  const made = points.map((point, index) => {
    const { x, y } = projection.at(point);
    const color = point.shown.color ?? colorOf('gray') ?? '#8d99a8';
    const name = `${point.label}: ${point.shown.text}`;
    const sign = svg('path', {
      d: signPath(point.shown.isMissing ? 4 : (point.shown.step ?? 0), point.size),
      fill: color,
      stroke: ink,
      'stroke-width': '2',
      transform: `translate(${x},${y})`,
    });
    const label = labelAt(point, { x, y, fontSize, projection, taken });
    const group = svg(
      'g',
      { class: 'mark', tabindex: index === 0 ? '0' : '-1', role: 'img', 'aria-label': name },
      sign,
      label,
    );
    const show = () => tell(point, { x, y }, args);
    group.addEventListener('focus', show);
    group.addEventListener('mouseenter', show);
    for (const type of ['blur', 'mouseleave']) group.addEventListener(type, () => hide(args.body));
    return group;
  });
  made.forEach((mark, index) => {
    mark.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = made[(index + step + made.length) % made.length] as SVGGElement;
      mark.setAttribute('tabindex', '-1');
      next.setAttribute('tabindex', '0');
      next.focus();
    });
  });
  return svg('g', {}, made.toReversed());
}

/** Beside the point where there is room; none where there is not: the tip tells it. */
function labelAt(
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
  const lines = [label, ...(shown.isMissing ? [] : [shown.text])];
  const width = Math.max(...lines.map((line) => line.length)) * fontSize * 0.56;
  const height = lines.length * fontSize * 1.15;
  const places = [
    { x: x + size + 5, y: y - height / 2, anchor: 'start' },
    { x: x - size - 5 - width, y: y - height / 2, anchor: 'end' },
    { x: x - width / 2, y: y - size - height - 3, anchor: 'middle' },
    { x: x - width / 2, y: y + size + 3, anchor: 'middle' },
  ] as const;
  const free = places.find((place) => {
    const box = { x: place.x, y: place.y, width, height };
    const inside =
      box.x > 2 && box.y > 2 && box.x + width < projection.width - 2 && box.y + height < projection.height - 2;
    return inside && !taken.some((other) => meet(box, other));
  });
  if (!free) return null;
  taken.push({ x: free.x, y: free.y, width, height });
  const anchorX = free.anchor === 'start' ? free.x : free.anchor === 'end' ? free.x + width : free.x + width / 2;
  return svg(
    'text',
    { class: 'map-label', x: anchorX, y: free.y, 'text-anchor': free.anchor, 'font-size': fontSize },
    lines.map((line, index) =>
      svg(
        'tspan',
        { x: anchorX, dy: index === 0 ? fontSize : fontSize * 1.12, class: index === 0 ? 'map-name' : 'map-state' },
        line,
      ),
    ),
  );
}

function tell(point: Point, { x, y }: { x: number; y: number }, { table, context, body }: MarkArgs): void {
  const tip = body.querySelector<HTMLElement>('.map-tip');
  if (!tip) return;
  const lines = table.columns
    .filter((column) => !isHidden(column) && !/^(?:latitude|longitude)$/.test(column.name))
    .map((column) =>
      h(
        'div',
        {},
        `${displayName(column.name, column.config)}: `,
        h('b', {}, display(column.values[point.row], column.kind, column.config, context).text),
      ),
    );
  tip.replaceChildren(...lines);
  tip.hidden = false;
  tip.style.left = `${Math.min(x + 14, Math.max(0, body.clientWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.min(y + 14, Math.max(0, body.clientHeight - tip.offsetHeight - 4))}px`;
}

function hide(body: HTMLElement): void {
  const tip = body.querySelector<HTMLElement>('.map-tip');
  if (tip) tip.hidden = true;
}

function net({ south, north, west, east, at, width, height }: Projection, language: Language): SVGElement {
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
function ground({ features }: GeoJson, projection: Projection, taken: Box[]): SVGElement {
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

function placeName(
  [longitude = 0, latitude = 0]: readonly number[],
  name: string,
  { projection, taken }: { projection: Projection; taken: Box[] },
): SVGElement | null {
  const { x, y } = projection.at({ latitude, longitude });
  const width = name.length * placeFontSize * 0.56;
  const box = { x: x - width / 2 - 4, y: y - placeFontSize, width: width + 8, height: placeFontSize * 1.6 };
  const isInside = box.x > 0 && box.y > 0 && box.x + width < projection.width && y + 8 < projection.height;
  if (!isInside || taken.some((other) => meet(box, other))) return null;
  taken.push(box);
  return svg('text', { x, y, class: 'place', 'text-anchor': 'middle', 'font-size': placeFontSize }, name);
}

function scaleBar({ width, height, kmPerUnit }: Projection): SVGElement {
  const km = [1, 2, 5, 10, 20, 50].findLast((one) => one / kmPerUnit < width / 5) ?? 1;
  const length = km / kmPerUnit;
  const [x, y] = [width - length - 14, height - 14];
  return svg(
    'g',
    { class: 'scale', 'aria-hidden': 'true' },
    svg('path', { d: `M${x},${y - 6}v6h${length}v-6`, fill: 'none' }),
    svg('text', { x: x + length / 2, y: y - 8, 'text-anchor': 'middle' }, `${km} km`),
  );
}
