/** Hands what people do about alerts to the source of the running topology that takes it. */
import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { EngineGraph } from '../observe/inspect.ts';
import type { EngineLink } from './engine-link.ts';
import { boardErrors } from './errors.ts';
import { boardLimits } from './limits.ts';

/** What someone did about an alert, in the form that the source takes. */
export interface AlertAction {
  readonly alert_id: string;
  readonly action: 'acknowledge' | 'assign' | 'note';
  readonly by: string;
  readonly to: string | null;
  readonly note: string | null;
}

/** Name of the source in the catalogue. */
const sourceName = 'alert-actions';

const failed = (reason: string, cause?: unknown) => boardErrors.make('MACH3312', { reason }, cause);

/** Resolves once the action is in the log. Rejects with MACH3310 and MACH3312; then it may be done again: with one key it counts once. */
export async function actOnAlert(engine: EngineLink, action: AlertAction, token?: string): Promise<void> {
  const graph = (await (await engine.ask('/graph')).json()) as EngineGraph;
  const source = graph.nodes.find(({ kind, definition }) => kind === 'source' && definition === sourceName);
  const address = source && graph.addresses[source.id];
  if (!address) throw failed(`${graph.name} has no source ${sourceName} that runs`);
  const key = randomUUID();
  for (let attempt = 1; ; attempt++) {
    const answer = await post(address, { action, key, token }).catch((error: unknown) => error as Error);
    if (!(answer instanceof Error)) {
      if (answer.ok) return;
      if (answer.status < 500)
        throw failed(((await answer.json()) as { message?: string }).message ?? answer.statusText);
    }
    if (attempt >= boardLimits.actionAttemptsMax) {
      throw failed(answer instanceof Error ? messageOf(answer) : `the log did not take it (${answer.status})`);
    }
  }
}

function post(
  address: string,
  { action, key, token }: { action: AlertAction; key: string; token: string | undefined },
) {
  return fetch(address, {
    method: 'POST',
    signal: AbortSignal.timeout(boardLimits.engineAnswerMs),
    headers: {
      'content-type': 'application/json',
      'idempotency-key': key,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(action),
  });
}
