/** What the topology view asks of the engine, by way of the server. */
import { ServerError } from '../api.ts';

export interface GraphAnswer {
  readonly name: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly kind: 'source' | 'operator' | 'sink';
    readonly definition: string;
    readonly description?: string;
  }[];
  readonly edges: readonly {
    readonly from: string;
    readonly port: string;
    readonly to: string;
    readonly input: string;
  }[];
  readonly keyed: readonly string[];
}

export interface NodeAnswer {
  readonly id: string;
  readonly kind: string;
  readonly definition: string;
  readonly in: number;
  readonly out: number;
  readonly filtered: number;
  readonly late: number;
  readonly dropped: number;
  readonly dead: number;
  readonly queue: number;
  readonly busyMs: number;
  readonly backpressuredMs: number;
  readonly watermark: number | null;
  readonly idle: boolean;
  readonly lagMs: number | null;
  readonly stateKeys: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  readonly detail: string | null;
}

export interface StatusAnswer {
  readonly topology: string;
  readonly state: string;
  readonly at: number;
  readonly engineTime: number;
  readonly uptimeMs: number;
  readonly logSilentMs: number;
  readonly accounting: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
  readonly stage: { readonly sequence: number; readonly lastSequence: number };
  readonly nodes: readonly NodeAnswer[];
  readonly partitions: { readonly count: number };
  readonly workers: readonly unknown[];
}

export interface LettersAnswer {
  readonly letters: readonly {
    readonly id: string;
    readonly node: string;
    readonly code: string;
    readonly reason: string;
    readonly storedAt: number;
    readonly attempts: number;
  }[];
  readonly counts: readonly { readonly node: string; readonly code: string; readonly letters: number }[];
  readonly total: number;
}

export interface VersionsAnswer {
  readonly versions: readonly {
    readonly hash: string;
    readonly since: number;
    readonly isRunning: boolean;
    readonly changes: readonly { readonly node: string; readonly change: 'added' | 'removed' | 'changed' }[];
  }[];
}

export interface WaitAnswer {
  readonly name: string;
  readonly due: string | null;
  readonly missing_ms: number | null;
}

export interface OpenAnswer {
  readonly known: boolean;
  readonly watermark: string | null;
  readonly inputs: readonly {
    readonly input: string;
    readonly from: string;
    readonly watermark: string | null;
    readonly idle: boolean;
    readonly holds: boolean;
  }[];
  readonly state: readonly { readonly state: string; readonly value: unknown; readonly changed: string | null }[];
  readonly timers: readonly WaitAnswer[];
  readonly windows: readonly WaitAnswer[];
  readonly holding: {
    readonly path: readonly string[];
    readonly source: string;
    readonly origin: string | null;
    readonly watermark: string | null;
    readonly idle: boolean;
    readonly silent_ms: number | null;
    readonly released_at: string | null;
  } | null;
  readonly note: string | null;
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`/api/engine/${path}`, { signal: AbortSignal.timeout(30_000) });
  const value = (await response.json()) as T & { code?: string; message?: string; error?: string };
  if (!response.ok)
    throw new ServerError(response.status, value.code ?? null, value.message ?? value.error ?? response.statusText);
  return value;
}

export const engine = {
  graph: () => ask<GraphAnswer>('graph'),
  status: () => ask<StatusAnswer>('status'),
  letters: () => ask<LettersAnswer>('dead-letters'),
  versions: () => ask<VersionsAnswer>('versions'),
  keys: (node: string) => ask<{ keys: readonly string[] }>(`keys?node=${encodeURIComponent(node)}`),
  why: (node: string, key: string) =>
    ask<OpenAnswer>(`why?node=${encodeURIComponent(node)}&key=${encodeURIComponent(key)}`),
};

export interface TapLine {
  readonly time: string;
  readonly event: Readonly<Record<string, unknown>>;
  readonly skipped: number;
}

/** Events of an edge until `signal` ends it; what points at a person comes hidden. Rejects when there is no such edge. */
export async function tap(edge: string, signal: AbortSignal, onLine: (line: TapLine) => void): Promise<void> {
  const response = await fetch(`/api/engine/tap?edge=${encodeURIComponent(edge)}`, { signal });
  if (!response.ok || !response.body) throw new ServerError(response.status, null, await response.text());
  let rest = '';
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(JSON.parse(line) as TapLine);
  }
}

/** What a letter holds, for the role `reveal`; who looks and why is written down first. */
export async function reveal(letter: string, reason: string): Promise<string> {
  const response = await fetch('/api/reveal', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ letter, reason }),
  });
  const value = (await response.json()) as { text?: string; message?: string };
  if (!response.ok) throw new ServerError(response.status, null, value.message ?? response.statusText);
  return value.text ?? '';
}
