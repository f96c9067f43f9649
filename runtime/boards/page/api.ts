/** What the page asks of its server. */

import type { PanelForm } from '../view/panel-form.ts';
import type { AnsweredFrame } from '../view/table.ts';
import type { WhyAnswer } from './why/answer.ts';

export class ServerError extends Error {
  readonly status: number;
  readonly code: string | null;

  constructor(status: number, code: string | null, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Longer than the server gives itself for a query. */
const answerMs = 30_000;

/** Longer than the server gives itself for the way back to the messages, with those before it in turn. */
const explanationMs = 180_000;

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal, timeoutMs = answerMs): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`/api/${path}`, {
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const value = (await response.json()) as T & { code?: string | null; message?: string };
  if (!response.ok) throw new ServerError(response.status, value.code ?? null, value.message ?? response.statusText);
  return value;
}

export interface BoardForm {
  readonly uid: string;
  readonly title: string;
  readonly description?: string | null;
  readonly tags: readonly string[];
  readonly time: { readonly from: string; readonly to: string };
  readonly refresh?: string | boolean;
  readonly timezone?: string;
  readonly panels: readonly PanelForm[];
  readonly templating: { readonly list: readonly VariableForm[] };
}

export interface VariableForm {
  readonly name: string;
  readonly type: string;
  readonly label?: string | null;
  readonly hide?: number;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
}

export interface BoardEntry {
  readonly uid: string;
  readonly title: string;
  readonly description?: string | null;
  readonly tags: readonly string[];
}

export interface VariableChoice {
  readonly name: string;
  readonly options: readonly { readonly text: string; readonly value: string }[];
  readonly values: readonly string[];
  readonly isAll: boolean;
}

export interface Question {
  readonly from: number;
  readonly to: number;
  readonly points: number;
  readonly chosen: Readonly<Record<string, readonly string[]>>;
}

export interface Session {
  /** null where no token is needed. */
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly isGuarded: boolean;
}

export interface ClockAnswer {
  /** Engine time, ms. */
  readonly now: number;
  readonly engine: {
    readonly state: string;
    /** How far behind engine time the slowest table is, ms; null when not known. */
    readonly lagMs: number | null;
  } | null;
}

export const api = {
  session: () => ask<Session>('session'),
  login: (token: string) => ask<Session>('login', { token }),
  logout: () => ask<object>('logout', {}),
  clock: () => ask<ClockAnswer>('clock'),
  boards: () => ask<{ boards: BoardEntry[]; problems: string[] }>('boards'),
  board: (uid: string) => ask<{ board: BoardForm }>(`boards/${encodeURIComponent(uid)}`),
  variables: (uid: string, question: Question) =>
    ask<{ variables: VariableChoice[] }>(`boards/${encodeURIComponent(uid)}/variables`, question),
  act: (body: { alertId: string; action: string; by?: string; to?: string; note?: string }) =>
    ask<{ by: string }>('alerts', body),
  why: (result: string, signal: AbortSignal) =>
    ask<WhyAnswer>(`why?result=${encodeURIComponent(result)}`, undefined, signal, explanationMs),
  panel: (uid: string, panel: number, question: Question, signal: AbortSignal) =>
    ask<{ frames: AnsweredFrame[] }>(`boards/${encodeURIComponent(uid)}/panels/${panel}`, question, signal),
};
