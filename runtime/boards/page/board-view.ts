/** A board: its panels on a grid, asked anew as often as it says. */
import { textIn } from '../view/language.ts';
import type { PanelForm } from '../view/panel-form.ts';
import { defaultZone, parseTime, refreshMs } from '../view/times.ts';
import { api, type BoardForm, type Question, type VariableChoice } from './api.ts';
import { h } from './dom.ts';
import { fillLink } from './links.ts';
import type { PageState } from './page-state.ts';
import { makePanelView, type PanelView } from './panel-view.ts';
import { isKiosk, query } from './place.ts';

export interface BoardView {
  readonly element: HTMLElement;
  readonly board: BoardForm;
  /** Options of the variables as they were asked last. */
  readonly variables: readonly VariableChoice[];
  refresh(): Promise<void>;
  close(): void;
}

export interface TimeChoice {
  readonly from: string;
  readonly to: string;
}

export function timeOf(board: BoardForm): TimeChoice {
  return { from: query().get('from') ?? board.time.from, to: query().get('to') ?? board.time.to };
}

export const zoneOf = ({ timezone }: BoardForm): string =>
  timezone && timezone !== 'browser' ? timezone : defaultZone;

export function refreshOf(board: BoardForm): number | undefined {
  return refreshMs(query().get('refresh') ?? board.refresh);
}

/** `var-hospital=H1&var-hospital=H2` of the address. */
export function chosenOf(board: BoardForm): Record<string, string[]> {
  const chosen: Record<string, string[]> = {};
  for (const { name } of board.templating.list) {
    const values = query().getAll(`var-${name}`);
    if (values.length > 0) chosen[name] = values.map((one) => (one === 'All' ? '$__all' : one));
  }
  return chosen;
}

/** Panels ask again when this much longer than planned has passed without an answer: they are shown as old. */
const staleFactor = 3;
const staleLeastMs = 20_000;
const tickMs = 1_000;

export function openBoard(board: BoardForm, state: PageState, onRefreshed: (view: BoardView) => void): BoardView {
  const { language } = state;
  const text = (name: Parameters<typeof textIn>[1]) => textIn(language, name);
  const panels: PanelView[] = [];
  const make = (panel: PanelForm) => {
    const view = makePanelView(panel, { text, language });
    panels.push(view);
    return view.element;
  };
  const parts = board.panels.map((panel) => (panel.type === 'row' ? rowHead(panel) : make(panel)));
  const inRows = board.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []).map(make) : []));
  const rows = Math.max(1, ...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const element = h('div', { class: 'board', style: `--rows:${rows}` }, parts, inRows);
  let closing = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let variables: readonly VariableChoice[] = [];
  const ticking = setInterval(() => {
    const every = refreshOf(board) ?? Number.POSITIVE_INFINITY;
    for (const panel of panels) panel.tick(Math.max(every * staleFactor, staleLeastMs));
  }, tickMs);

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    closing.abort();
    closing = new AbortController();
    const { signal } = closing;
    await state.look();
    const zone = zoneOf(board);
    const time = timeOf(board);
    const from = parseTime(time.from, state.now, { zone });
    const to = parseTime(time.to, state.now, { zone, end: true });
    if (signal.aborted) return;
    if (from !== undefined && to !== undefined) {
      const points = Math.round(Math.min(1_000, Math.max(100, element.clientWidth / 3)));
      const question: Question = { from: Math.floor(from), to: Math.floor(to), points, chosen: chosenOf(board) };
      const names = board.templating.list.filter(({ hide }) => hide !== 2);
      if (names.length > 0) {
        variables = await api.variables(board.uid, question).then(
          (answer) => answer.variables,
          () => variables,
        );
      }
      if (signal.aborted) return;
      const links = { from: time.from, to: time.to, variables: chosenOf(board) };
      const look = {
        uid: board.uid,
        question,
        signal,
        from,
        to,
        language,
        zone,
        link: (url: string, row: Parameters<typeof fillLink>[1]['row']) => fillLink(url, { ...links, row }),
        act: state.may('operate') ? state.act : undefined,
      };
      await Promise.all(panels.map((panel) => panel.refresh(look)));
      if (signal.aborted) return;
    }
    element.dataset.refreshes = String(Number(element.dataset.refreshes ?? 0) + 1);
    onRefreshed(view);
    const every = refreshOf(board);
    if (every !== undefined) timer = setTimeout(() => void refresh(), every);
  }

  const view: BoardView = {
    element,
    board,
    get variables() {
      return variables;
    },
    refresh,
    close() {
      clearTimeout(timer);
      clearInterval(ticking);
      closing.abort();
    },
  };
  document.body.classList.toggle('kiosk', isKiosk());
  return view;
}

function rowHead({ title, gridPos }: PanelForm): HTMLElement {
  return h('h2', { class: 'row-head', style: `--y:${gridPos.y + 1}` }, title);
}
