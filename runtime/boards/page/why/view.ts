/** Why a result is there: the way back from it to what was sent, as `mach why` tells it. */

import { type Language, textIn } from '../../view/language.ts';
import { defaultZone, formatTime } from '../../view/times.ts';
import { api } from '../api.ts';
import { h } from '../dom.ts';
import type { PageState } from '../page-state.ts';
import { go, query, withQuery } from '../place.ts';
import type { MessageAnswer, StateAnswer, StepAnswer, WhyAnswer } from './answer.ts';
import { type Word, wordIn } from './words.ts';

export interface WhyView {
  readonly element: HTMLElement;
  close(): void;
}

/** Deeper steps stand no further to the right, so that a narrow screen has room for them. */
const indentStepsMax = 8;
const fieldsMax = 14;
const valueCharacters = 80;
const stateCharacters = 400;
/** Stands where a text points at a person. */
const hiddenText = '•••';

interface Teller {
  word(name: Word): string;
  time(text: string | null): string;
}

export function openWhy(state: PageState): WhyView {
  const { language } = state;
  const word = (name: Word) => wordIn(language, name);
  const asked = query().get('result')?.trim() ?? '';
  const closed = new AbortController();
  const input = h('input', { name: 'result', value: asked, required: true, autocomplete: 'off' });
  const answer = h('div', { class: 'why-answer', role: 'status' });
  const submit = (event: Event) => {
    event.preventDefault();
    go(withQuery({ result: input.value.trim() }));
  };
  const element = h(
    'div',
    { class: 'why' },
    h(
      'form',
      { class: 'line', on: { submit } },
      h('label', {}, `${word('result')} `, input),
      h('button', { type: 'submit' }, word('ask')),
      h('span', { class: 'quiet' }, word('resultHint')),
    ),
    answer,
  );
  if (asked !== '') {
    answer.append(h('p', { class: 'quiet' }, word('asking')));
    api.why(asked, closed.signal).then(
      (report) => {
        answer.replaceChildren(...describe(report, language));
        element.dataset.ready = 'true';
      },
      (error) => {
        if (closed.signal.aborted) return;
        answer.replaceChildren(h('p', { class: 'wrong' }, `${textIn(language, 'error')}: ${(error as Error).message}`));
      },
    );
  }
  return { element, close: () => closed.abort() };
}

function describe(report: WhyAnswer, language: Language): HTMLElement[] {
  const teller: Teller = {
    word: (name) => wordIn(language, name),
    time: (text) =>
      text === null ? '–' : formatTime(Date.parse(text), { zone: defaultZone, language, style: 'second' }),
  };
  const { word, time } = teller;
  const { result, began, messages } = report;
  const place = `${result.stage}/${result.partition}/${result.sequence}/${result.index}`;
  return [
    h(
      'section',
      { class: 'card' },
      h('h2', {}, result.table ?? result.sink, h('span', { class: 'quiet' }, ` ${place} · ${time(result.time)}`)),
      fields(result.row, word),
      verdict(report, word),
    ),
    h(
      'section',
      { class: 'card' },
      h('h2', {}, word('way')),
      h(
        'ol',
        { class: 'steps' },
        report.steps.slice(1).map((step) => stepItem(step, teller)),
      ),
    ),
    h(
      'section',
      { class: 'card' },
      h('h2', {}, word('messages')),
      began && h('p', { class: 'quiet' }, `${word('began')} ${began.message} · ${time(began.time)}`),
      report.began_earlier && h('p', { class: 'quiet' }, word('beganEarlier')),
      h(
        'ol',
        { class: 'messages' },
        messages.filter(({ listed }) => listed).map((message) => messageItem(message, teller)),
      ),
      report.more && h('p', { class: 'quiet' }, word('more')),
    ),
  ];
}

function verdict({ replay }: WhyAnswer, word: Teller['word']): HTMLElement {
  if (replay.verified === true) return h('p', { class: 'verdict' }, `✓ ${word('verified')}`);
  return h('p', { class: 'verdict wrong' }, word(replay.verified === null ? 'notTried' : 'notVerified'));
}

function stepItem(step: StepAnswer, { word, time }: Teller): HTMLElement {
  const { via, by, out } = step;
  const how =
    via.kind === 'state'
      ? `${word('changedState')} ${via.name}`
      : via.kind === 'timer'
        ? `${word('setTimer')} ${via.name}`
        : '';
  const cause =
    by.kind === 'event'
      ? word('byEvent')
      : `${by.kind === 'timer' ? `${word('byTimer')} ${by.timer ?? ''}` : word('byTime')} ${time(by.time)} · ${by.moved_by ?? ''}`;
  const conditions = step.conditions.filter(({ values }) => Object.keys(values).length > 0);
  return h(
    'li',
    { style: `--depth: ${Math.min(step.depth, indentStepsMax)}` },
    h('b', {}, step.node),
    h('span', { class: 'quiet' }, ` ${step.definition} ${how}`),
    h('p', { class: 'quiet' }, step.message ?? cause),
    out && h('p', {}, `${word('gave')} ${time(out.time)} `, h('code', {}, line(out.event))),
    conditions.map(({ option, text, values, result, of_many: isOfMany }) => {
      const told = isOfMany
        ? `${word('newestHas')} ${line(values)}`
        : `${word('with')} ${line(values)} ${word('gives')} ${short(result)}`;
      return h('p', {}, `${option}: `, h('code', {}, text), ` ${told}`);
    }),
    step.state.map((one) => stateLines(one, word)),
  );
}

function stateLines({ state, key, before, after, changes }: StateAnswer, word: Teller['word']): HTMLElement[] {
  const name = `${state}[${keyText(key)}]`;
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  const isKnown = before !== null || after !== null;
  return [
    isKnown
      ? h('p', {}, `${name} ${word('before')}: `, h('code', {}, short(before, stateCharacters)))
      : h('p', {}, name),
    ...(isSame ? [] : [h('p', {}, `${name} ${word('after')}: `, h('code', {}, short(after, stateCharacters)))]),
    ...(changes > 0 ? [h('p', { class: 'quiet' }, `${changes} ${word('changes')}`)] : []),
  ];
}

/** Of several fields with their names. */
function keyText(key: unknown): string {
  if (key === null || typeof key !== 'object') return String(key);
  return Object.entries(key)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(', ');
}

function messageItem(message: MessageAnswer, { word, time }: Teller): HTMLElement {
  const { place, source, origin, role, accepted_at: accepted, note, text, text_characters: characters } = message;
  const atSender = message.sender_place ? line(message.sender_place) : message.mark;
  return h(
    'li',
    {},
    h('b', {}, [source, origin].filter(Boolean).join(' · ')),
    h('span', { class: 'quiet' }, ` ${place} · ${word('accepted')} ${time(accepted)} · ${word(role)}`),
    atSender !== null && h('p', { class: 'quiet' }, `${word('atSender')}: ${atSender}`),
    note !== null && h('p', {}, note),
    message.events.map(({ time: at, event }) => h('p', {}, `${time(at)} `, h('code', {}, line(event)))),
    text === hiddenText && h('p', { class: 'quiet' }, `${word('hidden')} (${characters} ${word('characters')})`),
    text !== null && text !== hiddenText && h('pre', { tabindex: '0' }, text.replace(/\r\n?/g, '\n')),
  );
}

const isAbsent = (value: unknown) => value === null || (Array.isArray(value) && value.length === 0);

function fields(row: Readonly<Record<string, unknown>>, word: Teller['word']): HTMLElement[] {
  const all = Object.entries(row);
  const there = all.filter(([, value]) => !isAbsent(value));
  const list = (entries: typeof all) =>
    h(
      'dl',
      { class: 'numbers' },
      entries.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, short(value)))),
    );
  if (there.length === all.length) return [list(all)];
  return [list(there), h('details', {}, h('summary', {}, word('everyField')), list(all))];
}

/** What is there and may be seen, and only so much of it that a step is read at a glance. */
function line(event: Readonly<Record<string, unknown>>): string {
  const told = Object.entries(event).filter(([, value]) => !isAbsent(value) && value !== hiddenText);
  const shown = told.slice(0, fieldsMax).map(([name, value]) => `${name} ${short(value)}`);
  return [...shown, ...(told.length > fieldsMax ? ['…'] : [])].join(', ');
}

function short(value: unknown, charactersMax = valueCharacters): string {
  const text = (typeof value === 'string' ? value : JSON.stringify(value ?? null)).replace(/\s+/g, ' ');
  return text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text;
}
