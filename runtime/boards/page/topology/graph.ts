/** The running graph as a picture: every node with its rate, lag and what went wrong, every edge with what passes. */
import type { Language } from '../../view/language.ts';
import { type Health, healthOf, type Rates, ratesOf } from '../../view/rates.ts';
import { ageText } from '../../view/times.ts';
import { formatNumber } from '../../view/units.ts';
import { svg } from '../dom.ts';
import type { GraphAnswer, NodeAnswer, StatusAnswer } from './ask.ts';
import { linePath, nodeSize, type Placed, placeGraph } from './layout.ts';
import { type Word, wordIn } from './words.ts';

export interface GraphView {
  readonly element: SVGSVGElement;
  show(status: StatusAnswer): void;
  choose(id: string | undefined): void;
  ratesOf(id: string): Rates | undefined;
}

const healthLimits = { lagMs: 5 * 60_000, backpressured: 0.2 } as const;
/** Characters of a name that stand beside the sign. */
const nameMax = 16;
/** A sign beside each colour. */
const signs: Readonly<Record<Health, string>> = { well: '●', watch: '▲', trouble: '■', silent: '○' };

export function makeGraph(
  graph: GraphAnswer,
  { language, width, onChoose }: { language: Language; width: number; onChoose(id: string): void },
): GraphView {
  const placed = placeGraph(graph, width);
  const word = (name: Word) => wordIn(language, name);
  const edges = placed.edges.map((edge) => ({ ...edge, ...drawEdge(edge) }));
  const nodes = new Map(graph.nodes.map((node) => [node.id, drawNode(node, placed, word, onChoose)]));
  const element = svg(
    'svg',
    {
      class: 'graph',
      viewBox: `0 0 ${placed.width} ${placed.height}`,
      style: `max-width:${placed.width}px;min-width:${Math.min(placed.width, Math.round(placed.width * 0.55))}px`,
      role: 'group',
      'aria-label': graph.name,
    },
    svg(
      'defs',
      {},
      svg(
        'marker',
        {
          id: 'arrow',
          viewBox: '0 0 8 8',
          refX: 7,
          refY: 4,
          markerWidth: 10,
          markerHeight: 10,
          orient: 'auto',
          markerUnits: 'userSpaceOnUse',
        },
        svg('path', { d: 'M0,0L8,4L0,8z', class: 'arrow' }),
      ),
    ),
    edges.map(({ element: one }) => one),
    [...nodes.values()].map(({ element: one }) => one),
  );
  let before: StatusAnswer | undefined;
  let rates = new Map<string, Rates>();

  return {
    element,
    ratesOf: (id) => rates.get(id),
    choose(id) {
      for (const [one, { element: node }] of nodes) {
        node.classList.toggle('chosen', one === id);
        node.setAttribute('aria-pressed', String(one === id));
      }
    },
    show(status) {
      const elapsedMs = before ? status.at - before.at : 0;
      // A look that comes twice from the same moment says nothing new.
      if (before && elapsedMs === 0) return;
      const earlier = new Map(before?.nodes.map((node) => [node.id, node]));
      rates = new Map(status.nodes.map((node) => [node.id, ratesOf(earlier.get(node.id), node, elapsedMs)]));
      for (const node of status.nodes) nodes.get(node.id)?.show(node, rates.get(node.id) as Rates);
      for (const { from, label, line } of edges) {
        const rate = rates.get(from)?.out ?? 0;
        label.textContent = before ? rateText(rate, language, word) : '';
        line.style.strokeWidth = String(1.5 + Math.min(5, Math.log10(1 + rate) * 2));
        line.classList.toggle('flows', rate > 0);
      }
      before = status;
    },
  };
}

function rateText(rate: number, language: Language, word: (name: Word) => string): string {
  return `${formatNumber(rate, { unit: 'none', decimals: rate > 0 && rate < 10 ? 1 : 0, language }).number}${word('perSecond')}`;
}

function drawEdge({ points, label, port, input }: Placed['edges'][number]) {
  const line = svg('path', { d: linePath(points), class: 'edge', 'marker-end': 'url(#arrow)' });
  const text = svg('text', { x: label.x, y: label.y - 3, class: 'edge-label' });
  const named = [port === 'out' ? '' : port, /^from(\.\d+)?$/.test(input) ? '' : input].filter(Boolean).join(' → ');
  const name = named ? svg('text', { x: label.x, y: label.y + 12, class: 'edge-name' }, named) : null;
  return { element: svg('g', {}, line, text, name), line, label: text };
}

function drawNode(
  { id, kind, definition, description }: GraphAnswer['nodes'][number],
  placed: Placed,
  word: (name: Word) => string,
  onChoose: (id: string) => void,
) {
  const { x, y } = placed.nodes.get(id) ?? { x: 0, y: 0 };
  const { width, height } = nodeSize;
  const sign = svg('text', { x: width - 12, y: 24, class: 'node-sign', 'text-anchor': 'end', 'aria-hidden': 'true' });
  const lines = [0, 1, 2].map((index) =>
    svg('text', { x: 12, y: 45 + index * 18, class: index === 0 ? 'node-rate' : 'node-line' }),
  );
  const element = svg(
    'g',
    {
      class: `node ${kind}`,
      transform: `translate(${x - width / 2},${y - height / 2})`,
      tabindex: 0,
      role: 'button',
      'aria-pressed': 'false',
      'data-node': id,
    },
    svg('rect', { width, height, rx: kind === 'operator' ? 8 : 20 }),
    svg('text', { x: 12, y: 24, class: 'node-name' }, id.length > nameMax ? `${id.slice(0, nameMax - 1)}…` : id),
    sign,
    lines,
  );
  element.addEventListener('click', () => onChoose(id));
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onChoose(id);
  });
  const language: Language = word('source') === 'source' ? 'en' : 'vi';
  return {
    element,
    show(node: NodeAnswer, rates: Rates) {
      const { health, reasons } = healthOf(node, rates, healthLimits);
      const texts = nodeTexts(node, rates, word, language);
      element.dataset.health = health;
      sign.textContent = signs[health];
      lines.forEach((line, index) => {
        line.textContent = texts[index] ?? '';
      });
      // What is seen is the name; what only a colour and a sign say is told beside it.
      const told = [word(health), ...reasons.map((reason) => word(reason)), description ?? definition];
      element.setAttribute('aria-description', [...new Set(told)].join(', '));
    },
  };
}

/** Three lines at most: what passes, how far behind, what went wrong. */
function nodeTexts(node: NodeAnswer, rates: Rates, word: (name: Word) => string, language: Language): string[] {
  const rate = (value: number) => rateText(value, language, word);
  const flow =
    node.kind === 'source'
      ? rate(rates.out)
      : node.kind === 'sink'
        ? rate(rates.in)
        : `${rate(rates.in)} → ${rate(rates.out)}`;
  const lag = node.lagMs === null ? word('silent') : `${word('lag')} ${ageText(node.lagMs, language)}`;
  const waiting = node.queue > 0 ? ` · ${node.queue} ${word('waiting')}` : '';
  const wrong = (['late', 'dropped', 'dead'] as const)
    .filter((name) => node[name] > 0)
    .map((name) => `${node[name]} ${word(name)}`);
  if (rates.backpressured > 0.05) wrong.unshift(`${word('backpressure')} ${Math.round(rates.backpressured * 100)}%`);
  return [flow, lag + waiting, wrong.join(' · ')];
}
