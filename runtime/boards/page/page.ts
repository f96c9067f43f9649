/** The page: opens the view that the address names, and keeps the line above it true. */
import { type Language, type TextName, textIn } from '../view/language.ts';
import { ageText, defaultZone, formatTime } from '../view/times.ts';
import { openActions } from './actions.ts';
import { api, type BoardEntry, ServerError } from './api.ts';
import { type BoardView, openBoard } from './board-view.ts';
import { h } from './dom.ts';
import { askToken } from './login.ts';
import { makeState, type PageState } from './page-state.ts';
import { go, isKiosk, keepLanguage, languageOfAddress, onMove, query, viewOf, withQuery } from './place.ts';
import { boardsIn, makeToolbar } from './toolbar.ts';
import { openTopology } from './topology/view.ts';
import { openWhy } from './why/view.ts';

const head = h('header', { class: 'top' });
const banner = h('div', { class: 'banner', role: 'alert', hidden: true });
const main = h('main', { id: 'content', tabindex: '-1' });
const chip = h('span', { class: 'chip', role: 'status' });
await enter();
document.body.append(h('a', { class: 'skip', href: '#content' }, 'Đến nội dung'), head, banner, main);

let boards: readonly BoardEntry[] = [];
let problems: readonly string[] = [];
let current: BoardView | undefined;
let opened = '';
/** Of a view that is no board. */
let closeView: (() => void) | undefined;

const state: PageState = await makeState(showState, (alertId) =>
  openActions(alertId, state, () => void current?.refresh()),
);
const text = (name: TextName) => textIn(state.language, name);

/** Where a token is needed the page is loaded anew once it is given. */
async function enter(): Promise<void> {
  try {
    await api.session();
  } catch (error) {
    if (!(error instanceof ServerError && error.status === 401)) return;
    await askToken(languageOfAddress());
    document.body.replaceChildren();
  }
}

function personPart(): HTMLElement | null {
  const { name, isGuarded } = state.session;
  if (!isGuarded) return null;
  const leave = () => void api.logout().then(() => location.reload());
  return h(
    'span',
    { class: 'person' },
    name,
    ' ',
    h('button', { type: 'button', class: 'small', on: { click: leave } }, text('logout')),
  );
}

/** Never green because it is silent: what does not answer is said to be away. */
function showState(): void {
  const { clock, isAway, now } = state;
  const time = formatTime(now, { zone: defaultZone, language: state.language, style: 'second' });
  const engine = clock?.engine;
  const lagMs = engine?.lagMs ?? null;
  const isBehind = lagMs !== null && lagMs > behindMs;
  const kind = isAway ? 'away' : engine?.state !== 'running' ? 'none' : isBehind ? 'behind' : 'running';
  const words = {
    away: `✖ ${text('disconnected')} ${time}`,
    none: `■ ${text('engineAway')}`,
    behind: `▲ ${text('engineBehind')} ${lagMs === null ? '' : ageText(lagMs, state.language)}`,
    running: `● ${text('engineOk')}`,
  } as const;
  chip.dataset.engine = kind;
  chip.replaceChildren(h('b', {}, time), ` ${kind === 'running' ? words.running : ''}`);
  banner.hidden = kind === 'running';
  if (banner.textContent !== words[kind]) banner.textContent = words[kind];
  document.body.dataset.engine = kind;
}

/** An engine whose slowest part is this far behind is shown as behind. */
const behindMs = 5 * 60_000;

function showHead(): void {
  document.documentElement.lang = state.language;
  document.body.classList.toggle('kiosk', isKiosk());
  const { kind } = viewOf(location.pathname);
  const title = current?.board.title ?? text(kind === 'topology' || kind === 'why' ? kind : 'boards');
  document.title = `${title} · Mạch`;
  const focused = (document.activeElement as HTMLElement | null)?.getAttribute('name');
  if (head.querySelector('details[open]')) return;
  head.replaceChildren(
    h(
      'div',
      { class: 'brand' },
      h('a', { href: withQuery({}, '/') }, 'Mạch'),
      h('h1', {}, title),
      h('span', { class: 'preview', title: text('preview') }, text('preview')),
      chip,
    ),
    makeToolbar({
      boards,
      board: current?.board,
      language: state.language,
      variables: current?.variables ?? [],
      isTopology: kind === 'topology',
      text,
      onRefresh: () => void current?.refresh(),
      person: personPart(),
    }),
  );
  if (focused) head.querySelector<HTMLElement>(`[name="${CSS.escape(focused)}"]`)?.focus();
}

async function show(): Promise<void> {
  const view = viewOf(location.pathname);
  const key = `${location.pathname} ${state.language}`;
  if (current && key === opened) {
    showHead();
    return current.refresh();
  }
  current?.close();
  current = undefined;
  closeView?.();
  closeView = undefined;
  opened = key;
  ({ boards, problems } = await api.boards());
  if (view.kind === 'board') {
    const { board } = await api.board(view.uid);
    const own = (['vi', 'en'] as const).find((one) => board.tags.includes(one));
    if (own && own !== state.language) return go(withQuery({ ...kept(), lang: own }), { replace: true });
    current = openBoard(board, state, showHead);
    main.replaceChildren(current.element);
    showHead();
    return current.refresh();
  }
  if (view.kind === 'topology') {
    const { element, close } = await openTopology(state);
    closeView = close;
    showHead();
    main.replaceChildren(element);
    return;
  }
  await state.look();
  if (view.kind === 'why') {
    const { element, close } = openWhy(state);
    closeView = close;
    showHead();
    main.replaceChildren(element);
    return;
  }
  showHead();
  main.replaceChildren(boardList());
}

const kept = () => Object.fromEntries([...new Set(query().keys())].map((name) => [name, query().getAll(name)]));

function boardList(): HTMLElement {
  const cards = boardsIn(boards, state.language).map(({ uid, title, description }) =>
    h('li', {}, h('a', { href: withQuery({}, `/d/${uid}`) }, h('b', {}, title), h('span', {}, description ?? ''))),
  );
  return h(
    'div',
    { class: 'list' },
    cards.length > 0 ? h('ul', {}, cards) : h('p', {}, text('noBoards')),
    problems.length > 0 &&
      h(
        'section',
        {},
        h('h2', {}, text('problems')),
        h(
          'ul',
          {},
          problems.map((one) => h('li', {}, one)),
        ),
      ),
  );
}

function fail(error: unknown): void {
  const message =
    error instanceof ServerError && error.code ? `${error.code} ${error.message}` : (error as Error).message;
  showHead();
  main.replaceChildren(h('p', { class: 'failure', role: 'alert' }, `${text('error')}: ${message}`));
}

addEventListener('mach:language', (event) => keepLanguage((event as CustomEvent<Language>).detail));
addEventListener('mach:login', () => location.reload());
addEventListener('mach:away', () => void state.look());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && isKiosk() && !document.querySelector('details[open], dialog[open]'))
    go(withQuery({ kiosk: null }));
});
/** Links of the page are followed without loading it anew. */
addEventListener('click', (event) => {
  const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="/"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.target) return;
  event.preventDefault();
  go(link.getAttribute('href') as string);
});
const open = () => void show().catch(fail);
onMove(open);
open();
