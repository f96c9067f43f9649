/** Asks the questions of look-ups at the edge: bounded, timed out, and every answer, or failure, appended to the input log. */
import type { LogStream } from '../bus/log.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import { encodeAnswersFrame } from './log-frame.ts';
import type { LookupQuestion } from './lookup.ts';

export interface LookupAsker {
  ask(question: LookupQuestion): void;
  close(): Promise<void>;
  readonly waiting: number;
}

interface Answer {
  readonly answer: unknown;
  readonly failure: string | null;
}

/** An answer that no message of the log could hold, on its way or between stages, has failed: it is known only here, and so for ever. */
function frameOf(id: string, answer: Answer): Uint8Array {
  const frame = encodeAnswersFrame({ answers: [{ id, ...answer }] });
  if (frame.length <= limits.rowBytesMax) return frame;
  const failure = `the answer takes ${frame.length} bytes, more than rowBytesMax (${limits.rowBytesMax})`;
  return encodeAnswersFrame({ answers: [{ id, answer: null, failure }] });
}

export function startLookupAsker(args: {
  stream: LogStream;
  subjectOf(node: string): string;
  clock: Clock;
  onFailure(error: unknown): void;
}): LookupAsker {
  const { stream, subjectOf, clock } = args;
  const queues = new Map<string, LookupQuestion[]>();
  const active = new Map<string, number>();
  // One for each question that is under way. No signal is made of one that lives on (`AbortSignal.any`): that would keep every question for ever.
  const controllers = new Set<AbortController>();
  let isClosing = false;
  const underway = new Set<Promise<void>>();

  function pump(node: string): void {
    const queue = queues.get(node) ?? [];
    while (queue.length > 0 && (active.get(node) ?? 0) < (queue[0] as LookupQuestion).lookup.concurrency) {
      const question = queue.shift() as LookupQuestion;
      active.set(node, (active.get(node) ?? 0) + 1);
      const work = answer(question).finally(() => {
        active.set(node, (active.get(node) ?? 1) - 1);
        underway.delete(work);
        if (!isClosing) pump(node);
      });
      underway.add(work);
    }
  }

  async function answer({ node, id, event, lookup }: LookupQuestion): Promise<void> {
    const controller = new AbortController();
    controllers.add(controller);
    const { signal } = controller;
    const timer = clock.after(lookup.timeoutMs, () => {
      controller.abort(new Error(`no answer within ${lookup.timeoutMs} ms`));
    });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    let result: Answer;
    try {
      result = { answer: (await Promise.race([aborted, lookup.ask(event, signal)])) ?? null, failure: null };
    } catch (error) {
      // The engine is ending: the question stays open in the state, and is asked again after the restart.
      if (isClosing) return;
      result = { answer: null, failure: messageOf(error) };
    } finally {
      timer.cancel();
      controllers.delete(controller);
    }
    await stream.append(subjectOf(node), frameOf(id, result), { id: `answer/${id}` }).catch(args.onFailure);
  }

  return {
    ask(question) {
      const queue = queues.get(question.node) ?? [];
      queue.push(question);
      queues.set(question.node, queue);
      if (!isClosing) pump(question.node);
    },
    async close() {
      isClosing = true;
      for (const controller of controllers) controller.abort(new Error('closing'));
      await Promise.allSettled([...underway]);
    },
    get waiting() {
      let waiting = 0;
      for (const queue of queues.values()) waiting += queue.length;
      return waiting;
    },
  };
}
