/** The automaton of a pattern, as a list of places. */
import type { PatternNode } from './pattern-syntax.ts';

export type State =
  | { readonly kind: 'character'; readonly accepts: (codePoint: number) => boolean }
  /** Goes on at all of these places at once, the preferred first. `save`: the group begins, or ends, here. */
  | { readonly kind: 'fork'; to: readonly number[]; readonly save?: 'from' | 'to'; readonly accepts?: undefined }
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
      case 'group':
        addSave('from');
        add(part.of);
        addSave('to');
        return;
      case 'repeat':
        addRepeat(part);
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

  const addSave = (save: 'from' | 'to') => {
    program.push({ kind: 'fork', to: [program.length + 1], save });
  };

  const addRepeat = ({ of, min, max, lazy }: Extract<PatternNode, { kind: 'repeat' }>) => {
    const preferred = (into: number, past: number) => (lazy ? [past, into] : [into, past]);
    for (let count = 0; count < min && !isFull(); count++) add(of);
    if (max === Number.POSITIVE_INFINITY) {
      const at = program.length;
      const loop = fork();
      add(of);
      fork().to = [at];
      loop.to = preferred(at + 1, program.length);
      return;
    }
    const skips: [Extract<State, { kind: 'fork' }>, number][] = [];
    for (let count = min; count < max && !isFull(); count++) {
      skips.push([fork(), program.length]);
      add(of);
    }
    for (const [skip, entry] of skips) skip.to = preferred(entry, program.length);
  };

  add(node);
  program.push({ kind: 'match' });
  return isFull() ? undefined : program;
}
