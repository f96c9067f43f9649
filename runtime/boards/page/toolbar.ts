/** The line above a board: which board, what time, how often, which choices. Native controls, so that a keyboard is enough. */
import type { Language, TextName } from '../view/language.ts';
import { formatTime } from '../view/times.ts';
import type { BoardEntry, BoardForm, VariableChoice, VariableForm } from './api.ts';
import { chosenOf, timeOf, zoneOf } from './board-view.ts';
import { h } from './dom.ts';
import { icon } from './icons.ts';
import { go, isKiosk, query, withQuery } from './place.ts';

const ranges = ['15m', '1h', '3h', '6h', '12h', '24h', '2d', '7d', '30d'] as const;
const refreshes = ['5s', '10s', '30s', '1m', '5m'] as const;

const rangeNames: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  vi: { m: 'phút', h: 'giờ', d: 'ngày', last: '', today: 'Hôm nay' },
  en: { m: 'minutes', h: 'hours', d: 'days', last: 'Last ', today: 'Today' },
};

export interface ToolbarArgs {
  readonly boards: readonly BoardEntry[];
  readonly board: BoardForm | undefined;
  readonly language: Language;
  readonly variables: readonly VariableChoice[];
  readonly isTopology: boolean;
  text(name: TextName): string;
  onRefresh(): void;
  readonly person: HTMLElement | null;
}

/** Boards of the language alone, where boards say which they are for. */
export function boardsIn(boards: readonly BoardEntry[], language: Language): BoardEntry[] {
  return boards.filter(({ tags }) => !tags.includes(language === 'vi' ? 'en' : 'vi'));
}

export function makeToolbar(args: ToolbarArgs): HTMLElement {
  const { board, text } = args;
  return h(
    'div',
    { class: 'toolbar' },
    navigation(args),
    board && choices(args, board),
    board && rangeSelect(args, board),
    board && refreshSelect(args, board),
    board &&
      h(
        'button',
        {
          type: 'button',
          class: 'icon',
          'aria-label': text('refreshNow'),
          title: text('refreshNow'),
          on: { click: args.onRefresh },
        },
        icon('refresh'),
      ),
    languageButton(args),
    kioskButton(args),
    args.person,
  );
}

function navigation({ boards, board, language, isTopology, text }: ToolbarArgs): HTMLElement {
  const links = boardsIn(boards, language).map(({ uid, title }) =>
    h('a', { href: withQuery({}, `/d/${uid}`), 'aria-current': board?.uid === uid ? 'page' : undefined }, title),
  );
  const topology = h(
    'a',
    { href: withQuery({}, '/topology'), 'aria-current': isTopology ? 'page' : undefined },
    text('topology'),
  );
  return h('nav', { 'aria-label': text('boards') }, links, topology);
}

function labelled(label: string, control: HTMLElement): HTMLElement {
  return h('label', { class: 'control' }, h('span', {}, label), control);
}

function rangeSelect({ language, text }: ToolbarArgs, board: BoardForm): HTMLElement {
  const { from, to } = timeOf(board);
  const names = rangeNames[language];
  const known = ranges.map((one): [string, string, string] => [
    `now-${one}`,
    'now',
    `${names.last}${one.slice(0, -1)} ${names[one.slice(-1)]}`,
  ]);
  known.push(['now/d', 'now/d', names.today as string]);
  const isKnown = known.some(([start, end]) => start === from && end === to);
  if (!isKnown) known.unshift([from, to, rangeText(from, to, board, language)]);
  const options = known.map(([start, end, name]) =>
    h('option', { value: `${start}|${end}`, selected: start === from && end === to }, name),
  );
  options.push(h('option', { value: 'custom' }, `${text('custom')}…`));
  const select = h('select', { name: 'range', on: { change: () => choose() } }, options);
  const form = customForm(board, text);
  function choose(): void {
    if (select.value === 'custom') {
      form.hidden = false;
      form.querySelector('input')?.focus();
      return;
    }
    const [start = '', end = ''] = select.value.split('|');
    go(withQuery({ from: start, to: end }));
  }
  return h('span', { class: 'range' }, labelled(text('timeRange'), select), form);
}

function rangeText(from: string, to: string, board: BoardForm, language: Language): string {
  const show = (text: string) => {
    const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
    return Number.isNaN(ms) ? text : formatTime(ms, { zone: zoneOf(board), language, style: 'moment' });
  };
  return `${show(from)} – ${show(to)}`;
}

/** Times of the city, whatever the clock of the screen says. */
function customForm(board: BoardForm, text: (name: TextName) => string): HTMLFormElement {
  const offset = zoneOf(board) === 'Asia/Ho_Chi_Minh' ? '+07:00' : 'Z';
  const input = (name: 'from' | 'to') =>
    labelled(text(name), h('input', { type: 'datetime-local', name, required: true }));
  const form = h(
    'form',
    {
      class: 'popup',
      hidden: true,
      on: {
        submit: (event) => {
          event.preventDefault();
          const data = new FormData(form);
          const at = (name: string) => String(Date.parse(`${String(data.get(name))}${offset}`));
          go(withQuery({ from: at('from'), to: at('to') }));
        },
        keydown: (event) => {
          if ((event as KeyboardEvent).key === 'Escape') form.hidden = true;
        },
      },
    },
    input('from'),
    input('to'),
    h('button', { type: 'submit' }, text('apply')),
  );
  return form;
}

function refreshSelect({ text }: ToolbarArgs, board: BoardForm): HTMLElement {
  const now = query().get('refresh') ?? (typeof board.refresh === 'string' ? board.refresh : '');
  const all = ['', ...new Set([...refreshes, ...(now ? [now] : [])])];
  const options = all.map((one) =>
    h('option', { value: one, selected: one === now }, one === '' ? text('off') : `${text('every')} ${one}`),
  );
  const select = h(
    'select',
    { name: 'refresh', on: { change: () => go(withQuery({ refresh: select.value === '' ? 'off' : select.value })) } },
    options,
  );
  return labelled(text('refresh'), select);
}

function choices(args: ToolbarArgs, board: BoardForm): HTMLElement[] {
  return board.templating.list
    .filter(({ hide, type }) => hide !== 2 && type !== 'constant' && type !== 'datasource')
    .map((variable) => choice(variable, args, board));
}

function choice(variable: VariableForm, args: ToolbarArgs, board: BoardForm): HTMLElement {
  const { name, label, multi, includeAll, type } = variable;
  const asked = args.variables.find((one) => one.name === name);
  const title = label ?? name;
  const set = (values: readonly string[]) => go(withQuery({ [`var-${name}`]: values.length > 0 ? values : null }));
  if (type === 'textbox') {
    const input = h('input', {
      name: `var-${name}`,
      value: chosenOf(board)[name]?.[0] ?? asked?.values[0] ?? '',
      on: { change: () => set([input.value]) },
    });
    return labelled(title, input);
  }
  const options = asked?.options ?? [];
  if (!multi) {
    const select = h(
      'select',
      { name: `var-${name}`, on: { change: () => set([select.value]) } },
      includeAll && h('option', { value: '$__all', selected: asked?.isAll }, args.text('all')),
      options.map((one) =>
        h('option', { value: one.value, selected: !asked?.isAll && asked?.values.includes(one.value) }, one.text),
      ),
    );
    return labelled(title, select);
  }
  const boxes = options.map((one) =>
    h(
      'label',
      {},
      h('input', { type: 'checkbox', value: one.value, checked: !asked?.isAll && asked?.values.includes(one.value) }),
      ` ${one.text}`,
    ),
  );
  const shown = asked?.isAll
    ? args.text('all')
    : options.filter(({ value }) => asked?.values.includes(value)).map(({ text }) => text);
  const box = h(
    'details',
    {
      class: 'choice',
      'data-variable': name,
      on: { keydown: (event) => (event as KeyboardEvent).key === 'Escape' && box.removeAttribute('open') },
    },
    h(
      'summary',
      {},
      h('span', {}, title),
      ' ',
      h(
        'b',
        {},
        typeof shown === 'string'
          ? shown
          : shown.slice(0, 2).join(', ') + (shown.length > 2 ? ` +${shown.length - 2}` : ''),
      ),
    ),
    h(
      'form',
      {
        class: 'popup',
        on: {
          submit: (event) => {
            event.preventDefault();
            set([...box.querySelectorAll<HTMLInputElement>('input:checked')].map(({ value }) => value));
          },
        },
      },
      includeAll && h('button', { type: 'button', on: { click: () => set(['$__all']) } }, args.text('all')),
      h('div', { class: 'boxes', tabindex: '0', role: 'group', 'aria-label': title }, boxes),
      h('button', { type: 'submit' }, args.text('apply')),
    ),
  );
  return box;
}

function languageButton({ board, boards, language, text }: ToolbarArgs): HTMLElement {
  const other: Language = language === 'vi' ? 'en' : 'vi';
  const swap = () => {
    const base = board?.uid.replace(/-en$/, '');
    const twin = boards.find(({ uid }) => uid === (other === 'en' ? `${base}-en` : base));
    const params = query();
    const kept = Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));
    dispatchEvent(new CustomEvent('mach:language', { detail: other }));
    go(withQuery({ ...kept, lang: other }, board && twin ? `/d/${twin.uid}` : location.pathname));
  };
  return h(
    'button',
    { type: 'button', class: 'language', lang: other, title: text('languageHint'), on: { click: swap } },
    text('language'),
  );
}

function kioskButton({ text }: ToolbarArgs): HTMLElement {
  const click = () => go(withQuery({ kiosk: isKiosk() ? null : '' }));
  const label = text(isKiosk() ? 'leaveKiosk' : 'kiosk');
  return h(
    'button',
    { type: 'button', class: 'icon', 'aria-label': label, title: label, on: { click } },
    icon(isKiosk() ? 'leave' : 'kiosk'),
  );
}
