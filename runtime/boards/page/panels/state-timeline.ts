/** A lane over time for each series; a state lasts until the next one is told, and no longer than tellings usually are apart. */
import { display } from '../../view/display.ts';
import { inkOn } from '../../view/palette.ts';
import { type Series, seriesOf } from '../../view/series.ts';
import { configOf } from '../../view/table.ts';
import { formatTime } from '../../view/times.ts';
import { h } from '../dom.ts';
import type { DrawPanel, PanelContext } from './context.ts';

interface Span {
  readonly from: number;
  to: number;
  readonly value: unknown;
}

/** A state that was not told again for so many of the usual times between is not known any more. */
const silenceFactor = 2.5;
/** Room of one time below the lanes. */
const markWidth = 150;

export const drawStateTimeline: DrawPanel = (body, context) => {
  const { panel, tables, from, to } = context;
  const { times, series } = seriesOf(tables, ({ name, refId }) => configOf(panel, { name, kind: 'number', refId }));
  if (times.length === 0) return 0;
  const usual = usualStep(times);
  const seen = new Map<string, { color: string; shape: string }>();
  const lanes = series.map((one) => lane(one, spansOf(one, times, usual, to), context, seen));
  const marks = Math.max(1, Math.min(8, Math.floor(body.clientWidth / markWidth)));
  const labels = Array.from({ length: marks + 1 }, (_, index) => from + ((to - from) * index) / marks);
  const style = to - from > 2 * 86_400_000 ? 'moment' : 'minute';
  const axis = h(
    'div',
    { class: 'lane-axis', 'aria-hidden': 'true' },
    labels.map((ms) =>
      h(
        'span',
        { style: `left:${((ms - from) / (to - from)) * 100}%` },
        formatTime(ms, { zone: context.zone, language: context.language, style }),
      ),
    ),
  );
  const legend = h(
    'div',
    { class: 'lane-legend' },
    [...seen].map(([text, { color, shape }]) =>
      h('span', {}, h('i', { style: `background:${color};color:${inkOn(color)}` }, shape), text),
    ),
  );
  body.replaceChildren(
    h('div', { class: 'lanes', tabindex: '0', role: 'region', 'aria-label': panel.title }, lanes),
    axis,
    legend,
  );
  return series.length;
};

function usualStep(times: readonly number[]): number {
  const steps = times
    .slice(1)
    .map((ms, index) => ms - (times[index] as number))
    .sort((one, other) => one - other);
  return steps[Math.floor(steps.length / 2)] ?? 60_000;
}

function spansOf({ values }: Series, times: readonly number[], usualMs: number, end: number): Span[] {
  const spans: Span[] = [];
  const told = times.flatMap((at, index) => (values[index] === undefined ? [] : [{ at, value: values[index] }]));
  told.forEach(({ at, value }, index) => {
    const until = Math.min(told[index + 1]?.at ?? end, at + usualMs * silenceFactor, end);
    const before = spans.at(-1);
    if (before && before.value === value && before.to >= at) before.to = until;
    else spans.push({ from: at, to: until, value });
  });
  return spans;
}

function lane(
  { name, config, kind }: Series,
  spans: readonly Span[],
  context: PanelContext,
  seen: Map<string, { color: string; shape: string }>,
): HTMLElement {
  const { from, to, zone, language } = context;
  const share = (ms: number) => ((Math.min(Math.max(ms, from), to) - from) / (to - from)) * 100;
  let last = '';
  const parts = spans
    .filter((span) => span.to > from && span.value !== null)
    .map((span) => {
      const shown = display(span.value, kind, config, context);
      const color = shown.color ?? '#8d99a8';
      seen.set(shown.text, { color, shape: shown.shape });
      last = shown.text;
      const width = share(span.to) - share(span.from);
      const time = (ms: number) => formatTime(ms, { zone, language, style: 'minute' });
      return h(
        'span',
        {
          class: 'lane-part',
          style: `left:${share(span.from)}%;width:${width}%;background:${color};color:${inkOn(color)}`,
          title: `${name}: ${shown.text}, ${time(span.from)}–${time(span.to)}`,
        },
        width > 7 && shown.text,
      );
    });
  return h(
    'div',
    { class: 'lane' },
    h('span', { class: 'lane-name', title: name }, name),
    h('span', { class: 'lane-track', role: 'img', 'aria-label': `${name}: ${last || context.text('unknown')}` }, parts),
  );
}
