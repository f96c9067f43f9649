/** Beside the graph: the accounting, dead letters, and the log of what changed. */
import type { Language } from '../../view/language.ts';
import { defaultZone, formatTime } from '../../view/times.ts';
import { formatNumber } from '../../view/units.ts';
import { h } from '../dom.ts';
import { type LettersAnswer, reveal, type StatusAnswer, type VersionsAnswer } from './ask.ts';
import { type Word, wordIn } from './words.ts';

const outcomes = ['in', 'delivered', 'filtered', 'late', 'dropped', 'dead_lettered', 'redriven'] as const;

export function accountingPart(status: StatusAnswer, language: Language): HTMLElement {
  const word = (name: Word) => wordIn(language, name);
  const count = (value: unknown) => formatNumber(Number(value ?? 0), { unit: 'none', decimals: 0, language }).number;
  const numbers = outcomes.map((name) =>
    h('div', {}, h('dt', {}, word(name)), h('dd', {}, count(status.accounting[name]))),
  );
  const behind = Math.max(0, status.stage.lastSequence - status.stage.sequence);
  const silentSeconds = Math.ceil(status.logSilentMs / 1_000);
  const more = [
    ...(silentSeconds > 0
      ? [h('div', {}, h('dt', {}, word('logSilent')), h('dd', {}, `${count(silentSeconds)} ${word('seconds')}`))]
      : []),
    h('div', {}, h('dt', {}, word('behind')), h('dd', {}, `${count(behind)} ${word('messages')}`)),
    h('div', {}, h('dt', {}, word('partitions')), h('dd', {}, count(status.partitions.count))),
  ];
  return h(
    'section',
    { class: 'accounting', 'aria-label': word('accounting') },
    h('dl', { class: 'numbers' }, numbers, more),
  );
}

const lettersMax = 12;

export function lettersPart(
  { letters, counts, total }: LettersAnswer,
  args: { language: Language; mayReveal: boolean },
): HTMLElement {
  const { language, mayReveal } = args;
  const word = (name: Word) => wordIn(language, name);
  const time = (ms: number) => formatTime(ms, { zone: defaultZone, language, style: 'moment' });
  const summary = counts.map(({ node, code, letters: count }) =>
    h('li', {}, h('b', {}, String(count)), ` ${node} · ${code}`),
  );
  const rows = letters
    .slice(0, lettersMax)
    .map(({ id, node, code, reason, storedAt, attempts }) =>
      h(
        'li',
        { 'data-letter': id },
        h(
          'div',
          {},
          h('time', {}, time(storedAt)),
          ' ',
          h('b', {}, `${node} ${code}`),
          attempts > 1 && ` · ${attempts} ${word('times')}`,
        ),
        h('div', { class: 'quiet' }, reason),
        mayReveal && revealForm(id, word),
      ),
    );
  return h(
    'section',
    { class: 'letters', 'aria-labelledby': 'letters' },
    h('h2', { id: 'letters' }, `${word('letters')} `, h('span', { class: 'count' }, String(total))),
    total === 0 ? h('p', { class: 'quiet' }, word('noLetters')) : h('ul', { class: 'counts' }, summary),
    rows.length > 0 && h('details', {}, h('summary', {}, word('newest')), h('ol', {}, rows)),
  );
}

/** Only with a reason, which the server writes down before it shows anything. */
function revealForm(id: string, word: (name: Word) => string): HTMLElement {
  const content = h('pre', { class: 'revealed', tabindex: '0', hidden: true });
  const input = h('input', {
    name: 'reason',
    required: true,
    minlength: 3,
    'aria-label': word('reason'),
    placeholder: word('reason'),
  });
  const show = async (event: Event) => {
    event.preventDefault();
    content.hidden = false;
    content.textContent = await reveal(id, input.value).catch((error: Error) => error.message);
  };
  return h(
    'div',
    {},
    h(
      'form',
      { class: 'line', on: { submit: (event) => void show(event) } },
      input,
      h('button', { type: 'submit', class: 'small' }, word('reveal')),
    ),
    content,
  );
}

export function changesPart({ versions }: VersionsAnswer, language: Language): HTMLElement {
  const word = (name: Word) => wordIn(language, name);
  const rows = versions.map(({ hash, since, isRunning, changes }) => {
    const told = changes.map(({ node, change }) => h('li', {}, `${word(change)} `, h('b', {}, node)));
    return h(
      'li',
      {},
      h(
        'div',
        {},
        h('time', {}, formatTime(since, { zone: defaultZone, language, style: 'whole' })),
        ' ',
        h('code', {}, hash.slice(0, 8)),
        isRunning && h('b', { class: 'running' }, ` ● ${word('running')}`),
      ),
      told.length > 0 ? h('ul', {}, told) : h('div', { class: 'quiet' }, word('first')),
    );
  });
  return h(
    'section',
    { class: 'changes', 'aria-labelledby': 'changes' },
    h('h2', { id: 'changes' }, word('changes')),
    h('ol', {}, rows),
  );
}
