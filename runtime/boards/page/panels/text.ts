/** Markdown. HTML in it is shown as it is written. */
import { marked } from 'marked';
import { h } from '../dom.ts';
import { fillLink } from '../links.ts';
import type { DrawPanel } from './context.ts';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

marked.use({
  renderer: { html: ({ text }) => escaped(text) },
  walkTokens(token) {
    if (token.type === 'link' || token.type === 'image') {
      token.href = fillLink(token.href, { row: undefined, from: '', to: '', variables: {} });
    }
  },
});

export const drawText: DrawPanel = (body, { panel }) => {
  const { content = '', mode } = (panel.options ?? {}) as { content?: string; mode?: string };
  const box = h('div', { class: 'prose', tabindex: '0', role: 'region', 'aria-label': panel.title || 'text' });
  if (mode === 'code' || mode === 'html') box.textContent = content;
  else box.innerHTML = marked.parse(content, { async: false });
  body.replaceChildren(box);
  return content === '' ? 0 : 1;
};
