/** Answers look-ups of a test by its mocks, in the time of the test. */
import type { Clock } from '../../clock.ts';
import type { LookupSpec } from '../../stream/operator-definition.ts';
import type { Event } from '../../stream/schema.ts';
import { isSame } from './align.ts';
import type { Mocks } from './bound-test.ts';
import { topologyTestErrors } from './errors.ts';

export interface Answerer {
  ask(node: string, lookup: LookupSpec, event: Event, signal: AbortSignal): Promise<unknown>;
  /** Throws MACH1524 when something was asked that no mock answers. */
  assertMocked(): void;
}

const questionLengthMax = 200;

export function answerer({ mocks, clock }: { mocks: Mocks; clock: Clock }): Answerer {
  let unanswered: { readonly node: string; readonly question: string } | undefined;
  return {
    async ask(node, lookup, event, signal) {
      const mock = mocks
        .get(node)
        ?.find(({ when }) => Object.entries(when).every(([name, value]) => isSame(value, event[name])));
      if (!mock) {
        unanswered ??= { node, question: JSON.stringify(event).slice(0, questionLengthMax) };
        throw new Error('no mock answers this');
      }
      const { afterMs, answer, error } = mock;
      if (afterMs > 0) await clock.sleep(Math.min(afterMs, lookup.timeoutMs), signal);
      if (afterMs > lookup.timeoutMs) throw new Error(`no answer within ${lookup.timeoutMs} ms`);
      if (error !== undefined) throw new Error(error);
      return answer;
    },
    assertMocked() {
      if (unanswered) throw topologyTestErrors.make('MACH1524', unanswered);
    },
  };
}
