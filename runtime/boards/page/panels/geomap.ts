/** Points on a map that needs no server of tiles. */
import { display } from '../../view/display.ts';
import { type Box, fitPlaces, type GeoJson, type Projection, signPath } from '../../view/map.ts';
import { colorOf } from '../../view/palette.ts';
import { displayName } from '../../view/series.ts';
import { columnNamed, isHidden, type Table } from '../../view/table.ts';
import { h, svg } from '../dom.ts';
import { baseMap } from './base-map.ts';
import type { DrawPanel, PanelContext } from './context.ts';
import { ground, net, scaleBar } from './map-ground.ts';
import { labelAt, type Point } from './map-labels.ts';

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
  const fontSize = Math.max(13, Math.min(21, projection.width / 50));
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
