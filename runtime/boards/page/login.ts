/** Asks for a token where one is needed. */
import { type Language, type TextName, textIn } from '../view/language.ts';
import { api } from './api.ts';
import { h } from './dom.ts';

/** Resolves when the server knows who is here. */
export function askToken(language: Language): Promise<void> {
  const text = (name: TextName) => textIn(language, name);
  return new Promise((resolve) => {
    const token = h('input', { type: 'password', name: 'token', required: true, autocomplete: 'current-password' });
    const status = h('p', { role: 'alert', class: 'dialog-status' });
    const send = async (event: Event) => {
      event.preventDefault();
      try {
        await api.login(token.value);
        resolve();
      } catch {
        status.textContent = text('wrongToken');
      }
    };
    const form = h(
      'form',
      { class: 'login', on: { submit: (event) => void send(event) } },
      h('h1', {}, 'Mạch'),
      h('p', { class: 'quiet' }, text('preview')),
      h('label', { class: 'field' }, h('span', {}, text('token')), token),
      h('button', { type: 'submit' }, text('login')),
      status,
    );
    document.body.replaceChildren(h('main', { id: 'content' }, form));
    token.focus();
  });
}
