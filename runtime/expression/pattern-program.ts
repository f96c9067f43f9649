/** The automaton of a pattern, as a list of places. */
import type { PatternNode } from './pattern-syntax.ts';

export type State =
  | { readonly kind: 'character'; readonly accepts: (codePoint: number) => boolean }
  /** Goes on at all of these places at once. */
  | { readonly kind: 'fork'; to: readonly number[]; readonly accepts?: undefined }
  | { readonly kind: 'start' | 'end' | 'match'; readonly accepts?: undefined };

export type Program = readonly State[];

/** Undefined when there would be too many states. */
export function emit(node: PatternNode, statesMax: number): Program | undefined {
  const program: State[] = [];
  const isFull = () => program.length > statesMax;
  const fork = () => {
    const state: Extract<State, { kind: 'fork' }> = { kind: 'fork', to: [] };
    program.push(state);
    return state;
  };

  const add = (part: PatternNode): void => {
    if (isFull()) return;
    switch (part.kind) {
      case 'character':
        program.push(part);
        return;
      case 'start':
      case 'end':
        program.push({ kind: part.kind });
        return;
      case 'sequence':
        for (const each of part.parts) add(each);
        return;
      case 'choice':
        addChoice(part.parts);
        return;
      case 'repeat':
        addRepeat(part.of, part.min, part.max);
    }
  };

  const addChoice = (parts: readonly PatternNode[]) => {
    const before = fork();
    const entries: number[] = [];
    const exits: Extract<State, { kind: 'fork' }>[] = [];
    for (const part of parts) {
      entries.push(program.length);
      add(part);
      exits.push(fork());
    }
    before.to = entries;
    for (const exit of exits) exit.to = [program.length];
  };

  const addRepeat = (of: PatternNode, min: number, max: number) => {
    for (let count = 0; count < min && !isFull(); count++) add(of);
    if (max === Number.POSITIVE_INFINITY) {
      const at = program.length;
      const loop = fork();
      add(of);
      fork().to = [at];
      loop.to = [at + 1, program.length];
      return;
    }
    const skips: [Extract<State, { kind: 'fork' }>, number][] = [];
    for (let count = min; count < max && !isFull(); count++) {
      skips.push([fork(), program.length]);
      add(of);
    }
    for (const [skip, entry] of skips) skip.to = [entry, program.length];
  };

  add(node);
  program.push({ kind: 'match' });
  return isFull() ? undefined : program;
}
