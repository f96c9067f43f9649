/** What can be done about an alert: a dialog that says who does it. */
import { type TextName, textIn } from '../view/language.ts';
import { api } from './api.ts';
import { h } from './dom.ts';
import type { PageState } from './page-state.ts';

/** Where no token says who it is, the name that was given last. */
const nameKey = 'mach.name';

export function openActions(alertId: string, state: PageState, onDone: () => void): void {
  const text = (name: TextName) => textIn(state.language, name);
  const name = state.session.name;
  const by = h('input', {
    name: 'by',
    required: true,
    maxlength: 100,
    value: localStorage.getItem(nameKey) ?? '',
    autocomplete: 'name',
  });
  const to = h('input', { name: 'to', maxlength: 100 });
  const note = h('input', { name: 'note', maxlength: 1000 });
  const status = h('p', { role: 'status', class: 'dialog-status' });
  const send = async (action: 'acknowledge' | 'assign' | 'note') => {
    // Each action needs what it is about.
    to.required = action === 'assign';
    note.required = action === 'note';
    if (!form.reportValidity()) return;
    if (name === null) localStorage.setItem(nameKey, by.value);
    try {
      const told = { ...(to.value && { to: to.value }), ...(note.value && { note: note.value }) };
      await api.act({ alertId, action, ...(name === null ? { by: by.value } : {}), ...told });
      status.textContent = `✓ ${text('done')}`;
      for (const button of form.querySelectorAll<HTMLButtonElement>('button[data-action]')) button.disabled = true;
      onDone();
    } catch (error) {
      status.textContent = `${text('error')}: ${(error as Error).message}`;
    }
  };
  const button = (action: 'acknowledge' | 'assign' | 'note') =>
    h('button', { type: 'button', 'data-action': action, on: { click: () => void send(action) } }, text(action));
  const field = (label: TextName, input: HTMLElement, more?: HTMLElement) =>
    h('label', { class: 'field' }, h('span', {}, text(label)), input, more);
  const form = h(
    'form',
    { method: 'dialog', on: { submit: (event) => event.preventDefault() } },
    h('h2', { id: 'act-title' }, text('actions')),
    h('p', { class: 'quiet' }, alertId),
    name === null ? field('yourName', by) : h('p', {}, `${text('yourName')}: `, h('b', {}, name)),
    h('div', { class: 'line' }, button('acknowledge')),
    h('div', { class: 'line' }, field('assignTo', to), button('assign')),
    h('div', { class: 'line' }, field('noteText', note), button('note')),
    status,
    h(
      'div',
      { class: 'line end' },
      h('button', { type: 'button', on: { click: () => dialog.close() } }, text('close')),
    ),
  );
  const dialog = h(
    'dialog',
    { class: 'act', 'aria-labelledby': 'act-title', on: { close: () => dialog.remove() } },
    form,
  );
  document.body.append(dialog);
  dialog.showModal();
}
