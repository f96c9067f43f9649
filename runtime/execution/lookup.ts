/**
 * Look-ups outside (`enrich`), made deterministic: the stage asks, the edge looks up and appends the answer to the input log, and
 * the stage goes on when it reads the answer there. After a crash questions without an answer in the log are asked again.
 */

import { limits } from '../limits.ts';
import { hashText } from '../stream/hash.ts';
import type { BoundOperator, LookupSpec, Output } from '../stream/operator-definition.ts';
import { type Event, fieldNames, type Schema } from '../stream/schema.ts';
import { executionErrors } from './errors.ts';
import type { RedriveLink } from './log-frame.ts';

/** The input port on which answers come back. */
export const answersInput = '$answers';

export interface LookupQuestion {
  readonly node: string;
  readonly id: string;
  readonly event: Event;
  readonly lookup: LookupSpec;
}

/** Names of questions, of what they ask: the same with any number of partitions, and in a replay of a changed topology. */
export class QuestionNames {
  private readonly counts = new Map<string, number>();

  /** Another message of the log is handled. */
  begin(): void {
    if (this.counts.size > 0) this.counts.clear();
  }

  nameOf(node: string, sequence: number, { event, schema }: { event: Event; schema: Schema | undefined }): string {
    const question = questionAbout(node, sequence, { event, schema });
    const count = this.counts.get(question) ?? 0;
    this.counts.set(question, count + 1);
    return `${question}.${count}`;
  }
}

/** The name of a question, but for which it is of those that ask the same in one message. */
export function questionAbout(
  node: string,
  sequence: number,
  { event, schema }: { event: Event; schema: Schema | undefined },
): string {
  // In the order of the schema: that is how it comes out of an exchange.
  const ordered = Object.fromEntries(fieldNames(schema ?? { fields: {} }).map((name) => [name, event[name] ?? null]));
  return `${node}/${sequence}/${hashText(JSON.stringify(ordered)).join('-')}`;
}

/** Sequence of the message in which a question was asked. */
export function askedAt(question: string): number {
  return Number(question.split('/')[1]);
}

interface Answered {
  readonly answer: unknown;
  readonly failure: string | null;
}

interface Pending {
  readonly event: Event;
  readonly time: number;
  answered: Answered | null;
  /** The event is a dead letter that was redriven. */
  readonly redrive?: RedriveLink;
}

/** What a look-up needs of the stage around it. */
export interface LookupEdge {
  /** A name for the next question: the same after a restart. */
  identity(event: Event): string;
  ask(id: string, event: Event): void;
  /** The redriven letter that is being handled. */
  redriving(): RedriveLink | undefined;
  /** An event could go on, but not on behalf of the letter that is being handled: it is left for `nextWave`, on behalf of its own or of none. */
  leaves(redrive: RedriveLink | undefined): void;
}

/** The operator around a look-up: keeps what waits in its state, in order. */
export function lookupOperator(bound: BoundOperator, lookup: LookupSpec, edge: LookupEdge): BoundOperator {
  return {
    ports: bound.ports,
    create(context) {
      const pending = context.keyedState<Pending>('pending');
      const isKept = lookup.order === 'kept';
      // Of those that wait; in an order that is kept some wait only for those before them. Undefined: as many as the state has.
      let asked: number | undefined;
      const askedNow = () => {
        asked ??= [...pending.entries()].filter(([, { answered }]) => !answered).length;
        return asked;
      };
      const send = (out: Output, { event, time }: Omit<Pending, 'answered'>, { answer, failure }: Answered) => {
        const result = lookup.join(event, answer, failure);
        if ('event' in result) out.emit(result.event, time);
        else out.dead(event, result.dead.code, result.dead.reason, time);
      };
      const release = (out: Output) => {
        for (const [id, item] of pending.entries()) {
          if (!item.answered) {
            if (isKept) return;
            continue;
          }
          // What fails of it behind this node is linked to its letter: so it goes alone.
          if (item.redrive?.letter !== edge.redriving()?.letter) return edge.leaves(item.redrive);
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
            asked = askedNow() - 1;
            item.answered = { answer, failure };
            release(out);
            return;
          }
          if (isKept && pending.size >= limits.lookupWaitingMax) {
            const { code, message } = executionErrors.make('MACH3257', { max: limits.lookupWaitingMax });
            return out.dead(event, code, message, time);
          }
          const isOverloaded = askedNow() >= limits.lookupPendingMax;
          const failure = `overloaded: lookupPendingMax (${limits.lookupPendingMax}) wait`;
          const answered = isOverloaded ? { answer: null, failure } : null;
          if (answered && !isKept) return send(out, { event, time }, answered);
          const id = edge.identity(event);
          const redrive = edge.redriving();
          pending.set(id, { event, time, answered, ...(redrive && { redrive }) }, time);
          if (answered) return;
          asked = askedNow() + 1;
          edge.ask(id, event);
        },
        nextWave: release,
        resume() {
          for (const [id, item] of pending.entries()) if (!item.answered) edge.ask(String(id), item.event);
        },
        holdsFrom() {
          let earliest = Number.POSITIVE_INFINITY;
          for (const [, item] of pending.entries()) earliest = Math.min(earliest, item.time);
          return earliest;
        },
        awaits: () => pending.size > 0,
      };
    },
  };
}
