/** The topology view: the running graph and what an engineer asks about it. */
import { textIn } from '../../view/language.ts';
import { h } from '../dom.ts';
import type { PageState } from '../page-state.ts';
import { engine, type StatusAnswer } from './ask.ts';
import { type NodeDetails, openDetails } from './details.ts';
import { makeGraph } from './graph.ts';
import { accountingPart, changesPart, lettersPart } from './journal.ts';
import { wordIn } from './words.ts';

const lookEveryMs = 1_000;
/** Letters and versions are read from the log, which costs more. */
const journalEveryMs = 15_000;

export interface TopologyView {
  readonly element: HTMLElement;
  close(): void;
}

export async function openTopology(state: PageState): Promise<TopologyView> {
  const { language } = state;
  const graph = await engine.graph();
  let details: NodeDetails | undefined;
  let chosen: string | undefined;
  let last: StatusAnswer | undefined;
  const hint = h('p', { class: 'hint quiet' }, wordIn(language, 'choose'));
  const side = h('div', { class: 'side' }, hint);
  const accounting = h('div');
  const journal = h('div', { class: 'journal' });
  const drawing = makeGraph(graph, { language, width: document.body.clientWidth - 32, onChoose: choose });
  const element = h(
    'div',
    { class: 'topology' },
    accounting,
    h('div', { class: 'graph-box', tabindex: '0', role: 'region', 'aria-label': graph.name }, drawing.element),
    h('div', { class: 'below' }, side, journal),
  );

  function choose(id: string | undefined): void {
    details?.close();
    chosen = id === chosen ? undefined : id;
    drawing.choose(chosen);
    details = chosen === undefined ? undefined : openDetails(chosen, graph, language, () => choose(undefined));
    side.replaceChildren(details?.element ?? hint);
    showDetails();
  }

  function showDetails(): void {
    const node = last?.nodes.find(({ id }) => id === chosen);
    if (node) details?.show(node, drawing.ratesOf(node.id));
  }

  async function look(): Promise<void> {
    await state.look();
    try {
      last = await engine.status();
      drawing.show(last);
      accounting.replaceChildren(accountingPart(last, language));
      showDetails();
      element.dataset.ready = 'true';
      element.classList.remove('stale');
    } catch {
      // What stands there is old: it loses its colours, and the line above says that no engine answers.
      element.classList.add('stale');
    }
  }

  async function readJournal(): Promise<void> {
    // What someone has opened or types into is left as it is.
    if (journal.querySelector('details[open]')) return;
    const [letters, versions] = await Promise.all([engine.letters(), engine.versions()]);
    journal.replaceChildren(
      lettersPart(letters, { language, mayReveal: state.may('reveal') }),
      changesPart(versions, language),
    );
  }

  const failed = (error: unknown) => {
    if (!journal.firstElementChild)
      journal.replaceChildren(h('p', { class: 'wrong' }, `${textIn(language, 'error')}: ${(error as Error).message}`));
  };
  await look();
  const looking = setInterval(() => void look(), lookEveryMs);
  const reading = setInterval(() => void readJournal().catch(failed), journalEveryMs);
  void readJournal().catch(failed);
  return {
    element,
    close() {
      clearInterval(looking);
      clearInterval(reading);
      details?.close();
    },
  };
}
