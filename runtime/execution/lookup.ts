/**
 * Look-ups outside (`enrich`), made deterministic: the stage asks, the edge looks up and appends the answer to the input log, and
 * the stage goes on when it reads the answer there. After a crash questions without an answer in the log are asked again.
 */

import { limits } from '../limits.ts';
import type { BoundOperator, LookupSpec, Output } from '../stream/definition.ts';
import type { Event } from '../stream/schema.ts';

/** The input port on which answers come back. */
export const answersInput = '$answers';

export interface LookupQuestion {
  readonly node: string;
  readonly id: string;
  readonly event: Event;
  readonly lookup: LookupSpec;
}

interface Answered {
  readonly answer: unknown;
  readonly failure: string | null;
}

interface Pending {
  readonly event: Event;
  readonly time: number;
  answered: Answered | null;
}

/** The operator around a look-up: keeps what waits in its state, in order. */
export function lookupOperator(
  bound: BoundOperator,
  lookup: LookupSpec,
  edge: { identity(): string; ask(id: string, event: Event): void },
): BoundOperator {
  return {
    ports: bound.ports,
    create(context) {
      const pending = context.keyedState<Pending>('pending');
      const send = (out: Output, { event, time }: Pick<Pending, 'event' | 'time'>, { answer, failure }: Answered) => {
        const result = lookup.join(event, answer, failure);
        if ('event' in result) out.emit(result.event, time);
        else out.dead(event, result.dead.code, result.dead.reason, time);
      };
      const release = (out: Output) => {
        for (const [id, item] of pending.entries()) {
          if (!item.answered) {
            if (lookup.order === 'kept') return;
            continue;
          }
          pending.delete(id);
          send(out, item, item.answered);
        }
      };
      return {
        event(event, time, out, input) {
          if (input === answersInput) {
            const { id, answer, failure } = event as { id: string; answer: unknown; failure: string | null };
            const item = pending.get(id);
            // Answered twice: asked again after a crash, while the first answer was already in the log.
            if (!item || item.answered) return;
            item.answered = { answer, failure };
            release(out);
            return;
          }
          if (pending.size >= limits.lookupPendingMax) {
            const failure = `overloaded: lookupPendingMax (${limits.lookupPendingMax}) wait`;
            return send(out, { event, time }, { answer: null, failure });
          }
          const id = edge.identity();
          pending.set(id, { event, time, answered: null }, time);
          edge.ask(id, event);
        },
        resume() {
          for (const [id, item] of pending.entries()) if (!item.answered) edge.ask(String(id), item.event);
        },
        holdsFrom() {
          let earliest = Number.POSITIVE_INFINITY;
          for (const [, item] of pending.entries()) earliest = Math.min(earliest, item.time);
          return earliest;
        },
      };
    },
  };
}
