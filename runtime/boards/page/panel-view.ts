/** One panel on the screen: its frame, what it shows, and how old that is. */
import type { TextName } from '../view/language.ts';
import type { PanelForm } from '../view/panel-form.ts';
import { tablesOf } from '../view/table.ts';
import { ageText } from '../view/times.ts';
import { api, type Question, ServerError } from './api.ts';
import { h } from './dom.ts';
import type { PanelContext } from './panels/context.ts';
import { panelKinds } from './panels/index.ts';

export interface PanelView {
  readonly element: HTMLElement;
  /** Asks and draws; never rejects. */
  refresh(look: PanelLook): Promise<void>;
  /** Shows the age of what stands there. */
  tick(staleAfterMs: number): void;
}

export interface PanelLook extends Omit<PanelContext, 'panel' | 'tables' | 'text'> {
  readonly uid: string;
  readonly question: Question;
  readonly signal: AbortSignal;
}

export function makePanelView(
  panel: PanelForm,
  args: { text(name: TextName): string; language: PanelContext['language'] },
): PanelView {
  const { text, language } = args;
  const titleId = `panel-${panel.id}`;
  const body = h('div', { class: 'panel-body' });
  const note = h('span', { class: 'panel-note', role: 'status' });
  const title = h('h3', { id: titleId }, panel.title);
  const about = panel.description ? aboutButton(panel.description, text('description')) : null;
  const { x, y, w, h: high } = panel.gridPos;
  const element = h(
    'section',
    {
      class: `panel kind-${panel.type} ${panel.transparent ? 'transparent' : ''}`,
      style: `--x:${x + 1};--y:${y + 1};--w:${w};--h:${high}`,
      'aria-labelledby': panel.title ? titleId : undefined,
      'aria-label': panel.title ? undefined : panel.type,
      'data-panel': panel.id,
      'data-state': 'waiting',
    },
    h('header', { class: 'panel-head' }, title, note, about),
    body,
  );
  let shownAt: number | undefined;
  let hasFailed = false;

  function show(state: string, message = ''): void {
    element.dataset.state = state;
    note.textContent = message;
  }

  async function refresh(look: PanelLook): Promise<void> {
    const draw = panelKinds[panel.type];
    if (!draw) return show('failed', `${text('notKnownPanel')}: ${panel.type}`);
    try {
      const frames =
        panel.type === 'text' ? [] : (await api.panel(look.uid, panel.id, look.question, look.signal)).frames;
      if (look.signal.aborted) return;
      const shown = draw(body, { ...look, panel, tables: tablesOf(panel, frames), text });
      if (shown === 0)
        body.replaceChildren(h('p', { class: 'no-data' }, panel.fieldConfig?.defaults?.noValue ?? text('noData')));
      shownAt = performance.now();
      hasFailed = false;
      show(shown === 0 ? 'empty' : 'shown');
    } catch (error) {
      if (look.signal.aborted) return;
      hasFailed = true;
      show('failed', `${text('error')}: ${(error as Error).message}`);
      if (error instanceof ServerError && error.status === 401) dispatchEvent(new Event('mach:login'));
      else if (!(error instanceof ServerError)) dispatchEvent(new Event('mach:away'));
    }
  }

  return {
    element,
    refresh,
    tick(staleAfterMs) {
      if (shownAt === undefined) return;
      const ageMs = performance.now() - shownAt;
      const isStale = ageMs > staleAfterMs;
      element.classList.toggle('stale', isStale || hasFailed);
      if (isStale && !hasFailed) note.textContent = `${text('stale')} · ${ageText(ageMs, language)}`;
      else if (!isStale && !hasFailed) note.textContent = '';
    },
  };
}

function aboutButton(description: string, label: string): HTMLElement {
  const tip = h('div', { class: 'tip', role: 'tooltip', hidden: true }, description);
  const toggle = (isShown: boolean) => {
    tip.hidden = !isShown;
    button.setAttribute('aria-expanded', String(isShown));
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'about',
      'aria-label': label,
      'aria-expanded': 'false',
      on: {
        click: () => toggle(Boolean(tip.hidden)),
        blur: () => toggle(false),
        keydown: (event) => (event as KeyboardEvent).key === 'Escape' && toggle(false),
      },
    },
    '?',
  );
  return h('span', { class: 'about-box' }, button, tip);
}
