/** What is known of one node: its numbers, the events that pass, and why a window of it is open. */
import type { Language } from '../../view/language.ts';
import type { Rates } from '../../view/rates.ts';
import { ageText, defaultZone, formatTime } from '../../view/times.ts';
import { h } from '../dom.ts';
import { engine, type GraphAnswer, type NodeAnswer, type OpenAnswer, tap, type WaitAnswer } from './ask.ts';
import { type Word, wordIn } from './words.ts';

export interface NodeDetails {
  readonly element: HTMLElement;
  show(node: NodeAnswer, rates: Rates | undefined): void;
  close(): void;
}

const tapLinesMax = 40;

export function openDetails(id: string, graph: GraphAnswer, language: Language, onClose: () => void): NodeDetails {
  const word = (name: Word) => wordIn(language, name);
  const node = graph.nodes.find((one) => one.id === id);
  const numbers = h('dl', { class: 'numbers' });
  const detail = h('p', { class: 'quiet' });
  const watching = new AbortController();
  const element = h(
    'section',
    { class: 'details', 'aria-label': id },
    h(
      'header',
      {},
      h('h2', {}, id),
      h('span', { class: 'quiet' }, `${node ? word(node.kind) : ''} ${node?.definition ?? ''}`),
      h('button', { type: 'button', class: 'small', on: { click: onClose } }, word('close')),
    ),
    detail,
    numbers,
    tapPart(id, graph, word, watching.signal),
    graph.keyed.includes(id) && windowPart(id, language, word),
  );
  return {
    element,
    close: () => watching.abort(),
    show(now, rates) {
      detail.textContent = now.detail ?? '';
      const time =
        now.watermark === null ? '–' : formatTime(now.watermark, { zone: defaultZone, language, style: 'second' });
      const percent = (share: number | undefined) => `${Math.round((share ?? 0) * 100)}%`;
      const all: [string, string][] = [
        [word('watermark'), now.idle ? `${time} (${word('idle')})` : time],
        [word('lag'), now.lagMs === null ? '–' : ageText(now.lagMs, language)],
        [word('in'), String(now.in)],
        ['→', String(now.out)],
        [word('filtered'), String(now.filtered)],
        [word('late'), String(now.late)],
        [word('dropped'), String(now.dropped)],
        [word('dead'), String(now.dead)],
        [word('waiting'), String(now.queue)],
        [word('busy'), percent(rates?.busy)],
        [word('backpressure'), percent(rates?.backpressured)],
        [word('keys'), String(now.stateKeys)],
      ];
      if (now.latencyMs)
        all.push([word('latency'), `${Math.round(now.latencyMs.p50)} / ${Math.round(now.latencyMs.p99)} ms`]);
      numbers.replaceChildren(...all.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    },
  };
}

function tapPart(id: string, graph: GraphAnswer, word: (name: Word) => string, closed: AbortSignal): HTMLElement {
  const ports = [...new Set(['out', ...graph.edges.filter(({ from }) => from === id).map(({ port }) => port)])];
  const select = h(
    'select',
    { 'aria-label': word('port') },
    ports.map((port) => h('option', { value: port }, port)),
  );
  const lines = h('ol', { class: 'tap', tabindex: '0', 'aria-label': word('tap') });
  let running: AbortController | undefined;
  const stop = () => {
    running?.abort();
    running = undefined;
    button.textContent = word('tapStart');
  };
  const start = () => {
    const own = new AbortController();
    running = own;
    button.textContent = word('tapStop');
    lines.replaceChildren();
    const edge = select.value === 'out' ? id : `${id}:${select.value}`;
    tap(edge, AbortSignal.any([own.signal, closed]), ({ time, event, skipped }) => {
      const text = JSON.stringify(event).slice(1, -1).replaceAll('"', '').replaceAll(',', ', ');
      lines.prepend(
        h(
          'li',
          {},
          h('time', {}, time.slice(11, 19)),
          ` ${text}`,
          skipped > 0 && h('i', {}, ` (+${skipped} ${word('skipped')})`),
        ),
      );
      while (lines.childElementCount > tapLinesMax) lines.lastElementChild?.remove();
    }).catch((error) => {
      if (own.signal.aborted || closed.aborted) return;
      lines.prepend(h('li', { class: 'wrong' }, (error as Error).message));
      stop();
    });
  };
  const button = h(
    'button',
    { type: 'button', class: 'tap-button', on: { click: () => (running ? stop() : start()) } },
    word('tapStart'),
  );
  return h(
    'section',
    {},
    h('h3', {}, word('tap')),
    h('p', { class: 'line' }, ports.length > 1 && select, button, h('span', { class: 'quiet' }, word('tapHint'))),
    lines,
  );
}

function windowPart(id: string, language: Language, word: (name: Word) => string): HTMLElement {
  const listId = `keys-${id}`;
  const list = h('datalist', { id: listId });
  const input = h('input', { name: 'key', list: listId, required: true, autocomplete: 'off' });
  const answer = h('div', { class: 'open-answer', role: 'status' });
  void engine.keys(id).then(
    ({ keys }) => {
      list.replaceChildren(...keys.map((key) => h('option', { value: key })));
      input.placeholder = keys.slice(0, 3).join(', ');
    },
    () => undefined,
  );
  const ask = async (event: Event) => {
    event.preventDefault();
    try {
      answer.replaceChildren(...describeOpen(await engine.why(id, input.value), language, word));
    } catch (error) {
      answer.replaceChildren(h('p', { class: 'wrong' }, (error as Error).message));
    }
  };
  return h(
    'section',
    {},
    h('h3', {}, word('window')),
    h(
      'form',
      { class: 'line', on: { submit: (event) => void ask(event) } },
      h('label', {}, `${word('key')} `, input),
      list,
      h('button', { type: 'submit' }, word('ask')),
    ),
    answer,
  );
}

function describeOpen(open: OpenAnswer, language: Language, word: (name: Word) => string): HTMLElement[] {
  const time = (text: string | null) =>
    text === null ? '–' : formatTime(Date.parse(text), { zone: defaultZone, language, style: 'second' });
  if (!open.known) return [h('p', {}, word('notKnown'))];
  const { holding } = open;
  const told: HTMLElement[] = [h('p', {}, `${word('watermark')}: `, h('b', {}, time(open.watermark)))];
  if (holding) {
    const who = [holding.origin, holding.source].filter(Boolean).join(' · ');
    const silent = holding.silent_ms === null ? '' : ` · ${word('silentFor')} ${ageText(holding.silent_ms, language)}`;
    const until = holding.released_at === null ? '' : ` · ${word('releasedAt')} ${time(holding.released_at)}`;
    const how = word(holding.idle ? 'allSilent' : 'held');
    told.push(h('p', {}, `${how}: `, h('b', {}, who), ` (${time(holding.watermark)}${silent}${until})`));
  }
  const inputs = open.inputs.map(({ input, from, watermark, holds, idle }) =>
    h(
      'li',
      {},
      `${word('input')} ${input} ← ${from}: ${time(watermark)}${idle ? ` · ${word('idle')}` : ''}`,
      holds && h('b', {}, ` ← ${word('holds')}`),
    ),
  );
  const dueOf = ({ due, missing_ms }: WaitAnswer) =>
    `${word('due')} ${time(due)}${missing_ms === null ? '' : ` (${ageText(missing_ms, language)})`}`;
  const windows = open.windows.map((wait) => h('li', {}, dueOf(wait)));
  const timers = open.timers.map((wait) => h('li', {}, `${wait.name}: ${dueOf(wait)}`));
  const states = open.state.map(({ state, value }) => h('li', {}, `${state}: `, h('code', {}, JSON.stringify(value))));
  for (const [title, items] of [
    [word('input'), inputs],
    [word('nextResults'), windows],
    [word('timers'), timers],
    [word('state'), states],
  ] as const) {
    if (items.length > 0) told.push(h('h4', {}, title), h('ul', {}, items));
  }
  return told;
}
