/** Look-ups of a replay: answers of the log for those that nothing has changed of, new answers for the others where that is wanted. */
import { systemClock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import { deepFingerprintsOf } from '../fingerprint.ts';
import type { AnswersFrame } from '../log-frame.ts';
import type { LookupQuestion } from '../lookup.ts';
import { replayErrors } from './errors.ts';

/** Look-ups of the topology whose answers the log does not have: they are new, or they or something above them changed. */
export function changedLookups({ before, topology }: { before: BoundTopology; topology: BoundTopology }): string[] {
  const [old, now] = [deepFingerprintsOf(before), deepFingerprintsOf(topology)];
  return topology.operators.filter(({ id, bound }) => bound.lookup && old[id] !== now[id]).map(({ id }) => id);
}

/** Throws MACH3233. Gives the look-ups that are asked anew. */
export function checkLookups(args: {
  before: BoundTopology;
  topology: BoundTopology;
  redecode: boolean;
  askAgain: boolean;
}): ReadonlySet<string> {
  const all = args.topology.operators.filter(({ bound }) => bound.lookup).map(({ id }) => id);
  const nodes = args.redecode ? all : changedLookups(args);
  if (nodes.length > 0 && !args.askAgain) {
    const reason = args.redecode
      ? 'what is decoded anew may ask other questions than those that the log has answers for'
      : 'it is new, or it or something above it changed, so that the log has no answers for it';
    throw replayErrors.make('MACH3233', { nodes: nodes.join(', '), reason });
  }
  return new Set(nodes);
}

/** Asks now, and gives an answer, or the reason why there is none, to every question; as many at once as each look-up allows. */
export async function askAll(
  questions: readonly LookupQuestion[],
  signal?: AbortSignal,
): Promise<[string, AnswersFrame][]> {
  const answers = new Map<string, AnswersFrame['answers'][number][]>();
  const queues = new Map<string, LookupQuestion[]>();
  for (const question of questions) queues.set(question.node, [...(queues.get(question.node) ?? []), question]);
  const work = [...queues].flatMap(([node, queue]) => {
    answers.set(node, []);
    const workers = Math.min(queue.length, queue[0]?.lookup.concurrency ?? 1);
    return Array.from({ length: workers }, async () => {
      for (let question = queue.shift(); question; question = queue.shift()) {
        const answer = await ask(question, signal);
        answers.get(node)?.push(answer);
      }
    });
  });
  await Promise.all(work);
  return [...answers].map(([node, list]) => [node, { kind: 'answers', answers: inOrder(list, questions) }]);
}

/** As asked: what comes first does not hang on the network. */
function inOrder(answers: AnswersFrame['answers'], questions: readonly LookupQuestion[]): AnswersFrame['answers'] {
  const places = new Map(questions.map(({ id }, place) => [id, place]));
  return [...answers].sort((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
}

async function ask(
  { id, event, lookup }: LookupQuestion,
  signal: AbortSignal | undefined,
): Promise<AnswersFrame['answers'][number]> {
  const timeout = new AbortController();
  const timer = systemClock().after(lookup.timeoutMs, () => {
    timeout.abort(new Error(`no answer within ${lookup.timeoutMs} ms`));
  });
  const either = signal ? AbortSignal.any([timeout.signal, signal]) : timeout.signal;
  const aborted = new Promise<never>((_, reject) => {
    either.addEventListener('abort', () => reject(either.reason), { once: true });
  });
  try {
    return { id, answer: (await Promise.race([lookup.ask(event, either), aborted])) ?? null, failure: null };
  } catch (error) {
    signal?.throwIfAborted();
    return { id, answer: null, failure: messageOf(error) };
  } finally {
    timer.cancel();
  }
}
