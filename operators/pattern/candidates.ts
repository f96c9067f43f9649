/** Which steps could take the next event. */
import type { Step } from './program.ts';

/** Steps by their places, the preferred first. */
export interface Candidates {
  readonly begin: readonly number[];
  /** Of a step that has taken events: fewer than it needs, enough, or as many as it may. */
  readonly after: readonly {
    readonly few: readonly number[];
    readonly enough: readonly number[];
    readonly full: readonly number[];
  }[];
}

export function candidatesOf(steps: readonly Pick<Step, 'min' | 'shortest'>[]): Candidates {
  const enter = (next: number): number[] => {
    const step = steps[next];
    if (!step) return [];
    if (step.min > 0) return [next];
    return step.shortest ? [...enter(next + 1), next] : [next, ...enter(next + 1)];
  };
  const after = steps.map(({ shortest }, at) => {
    const on = enter(at + 1);
    return { few: [at], enough: shortest ? [...on, at] : [at, ...on], full: on };
  });
  return { begin: enter(0), after };
}
