/**
 * Requests that wait, by their identity. A sender that has no answer in its time begins anew on another connection, again and again while the log is
 * away: the same request would wait as many times. Sent again it waits with the first, and both are told the same.
 */
import type { AppendRequest } from '../stream/source-definition.ts';

export class ResentRequests {
  readonly #waiting = new Map<string, { readonly mark: string | undefined; readonly outcome: Promise<void> }>();

  /** The outcome of the same request, where it waits. */
  outcomeOf(request: AppendRequest): Promise<void> | undefined {
    const first = request.id === undefined ? undefined : this.#waiting.get(keyOf(request));
    // With another mark it says something else.
    return first && first.mark === request.mark ? first.outcome : undefined;
  }

  /** Known from now on until it has its outcome. */
  add(request: AppendRequest, outcome: Promise<void>): void {
    if (request.id === undefined) return;
    const key = keyOf(request);
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, { mark: request.mark, outcome });
    const forget = () => void this.#waiting.delete(key);
    outcome.then(forget, forget);
  }
}

const keyOf = ({ origin, id }: AppendRequest) => `${origin}\u0000${id}`;
