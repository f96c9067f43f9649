/** Where one is, as the address says it, in Grafana's words: `/d/UID?from=now-6h&to=now&refresh=10s&var-hospital=H1&kiosk`. */
import type { Language } from '../view/language.ts';

export type View =
  | { readonly kind: 'board'; readonly uid: string }
  | { readonly kind: 'topology' }
  | { readonly kind: 'why' }
  | { readonly kind: 'list' };

export function viewOf(path: string): View {
  const [first, uid] = path.split('/').filter(Boolean);
  if (first === 'd' && uid) return { kind: 'board', uid: decodeURIComponent(uid) };
  return first === 'topology' || first === 'why' ? { kind: first } : { kind: 'list' };
}

export const query = (): URLSearchParams => new URLSearchParams(location.search);

/** Changes what the address says after `?`; null takes a name away. */
export function withQuery(
  changes: Readonly<Record<string, string | readonly string[] | null>>,
  path = location.pathname,
): string {
  const params = path === location.pathname ? query() : carried();
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    if (value === null) continue;
    for (const one of typeof value === 'string' ? [value] : value) params.append(name, one);
  }
  const text = params.toString().replace(/=(?=&|$)/g, '');
  return text ? `${path}?${text}` : path;
}

/** What stays when another view is opened. */
function carried(): URLSearchParams {
  const before = query();
  const kept = new URLSearchParams();
  for (const name of ['kiosk', 'lang']) if (before.has(name)) kept.set(name, before.get(name) as string);
  return kept;
}

type Listener = () => void;
const listeners = new Set<Listener>();

export function go(address: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  for (const listener of listeners) listener();
}

export function onMove(listener: Listener): void {
  listeners.add(listener);
  addEventListener('popstate', listener);
}

export const isKiosk = (): boolean => query().has('kiosk');

const languageKey = 'mach.language';

export function languageOfAddress(): Language {
  const asked = query().get('lang') ?? localStorage.getItem(languageKey);
  return asked === 'en' ? 'en' : 'vi';
}

export function keepLanguage(language: Language): void {
  localStorage.setItem(languageKey, language);
}
