/**
 * Patterns of `matches` and `extract`: regular expressions in time linear in the text, whatever the pattern. A backtracking engine can be
 * held up for minutes by one message that a sender made for it; an automaton cannot.
 *
 * The pattern becomes a nondeterministic automaton (K. Thompson, "Regular Expression Search Algorithm", CACM 11(6), 1968),
 * walked by sets of states that are remembered as they are met (R. Cox, "Regular Expression Matching Can Be Simple And Fast"). Plain patterns
 * are left to JavaScript (`pattern-direct.ts`).
 */
import { messageOf } from '../errors.ts';
import { limits } from '../limits.ts';
import { directly, isDirect } from './pattern-direct.ts';
import { extractor } from './pattern-extract.ts';
import { emit, type Program } from './pattern-program.ts';
import { parsePattern } from './pattern-syntax.ts';

export type PatternResult =
  | {
      readonly ok: true;
      readonly test: (text: string) => boolean;
      /** The text of the first group, or without one of the whole match, that stands first; null when there is none. */
      readonly extract: (text: string) => string | null;
    }
  | { readonly ok: false; readonly reason: string };

/** `direct` false: by the automaton, though JavaScript's own engine would do. */
export function compilePattern(pattern: string, { direct = true }: { direct?: boolean } = {}): PatternResult {
  if (pattern.length > limits.expressionPatternLengthMax) {
    return {
      ok: false,
      reason: `it has ${pattern.length} characters, at most ${limits.expressionPatternLengthMax} (expressionPatternLengthMax)`,
    };
  }
  const ignoreCase = pattern.startsWith('(?i)');
  const source = ignoreCase ? pattern.slice(4) : pattern;
  let own: RegExp;
  try {
    own = new RegExp(source, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
  const parsed = parsePattern(source, ignoreCase);
  if (!parsed.ok) return parsed;
  const program = emit(parsed.node, limits.expressionPatternStatesMax);
  if (!program) {
    return {
      ok: false,
      reason: `its repetitions make more than ${limits.expressionPatternStatesMax} states (expressionPatternStatesMax)`,
    };
  }
  if (direct && isDirect(parsed.node)) return { ok: true, ...directly(own) };
  const automaton = new Automaton(program);
  const test = (text: string) => automaton.test(text);
  const extract = extractor(program);
  return { ok: true, test, extract: (text) => (test(text) ? extract(text) : null) };
}

/** A set of states of the program, with what follows from it. */
interface StateSet {
  /** Places in the program that wait for a character. */
  readonly waiting: readonly number[];
  /** Something has matched. */
  readonly matched: boolean;
  /** Something has matched if the text ends here. */
  readonly matchedAtEnd: boolean;
  readonly next: Map<number, StateSet>;
}

/** Transitions remembered of one pattern, weighed by the size of the sets that they lead to; then all are forgotten and found anew. */
const rememberedMax = 500_000;

class Automaton {
  private readonly program: Program;
  private readonly sets = new Map<string, StateSet>();
  private remembered = 0;
  private readonly first: StateSet;

  constructor(program: Program) {
    this.program = program;
    this.first = this.setOf([0], true);
  }

  test(text: string): boolean {
    let set = this.first;
    let at = 0;
    while (!set.matched && at < text.length) {
      const character = text.codePointAt(at) as number;
      set = set.next.get(character) ?? this.step(set, character);
      at += character > 0xffff ? 2 : 1;
    }
    return set.matched || set.matchedAtEnd;
  }

  private step(set: StateSet, character: number): StateSet {
    const targets: number[] = [0];
    for (const place of set.waiting) if (this.program[place]?.accepts?.(character)) targets.push(place + 1);
    if (this.remembered >= rememberedMax) this.forget();
    const next = this.setOf(targets, false);
    set.next.set(character, next);
    this.remembered += 1 + next.waiting.length;
    return next;
  }

  private forget(): void {
    for (const set of this.sets.values()) set.next.clear();
    this.first.next.clear();
    this.sets.clear();
    this.remembered = 0;
  }

  private setOf(targets: readonly number[], atStart: boolean): StateSet {
    const open = this.closure(targets, atStart, false);
    const waiting = open.filter((place) => this.program[place]?.kind === 'character');
    const matched = open.some((place) => this.program[place]?.kind === 'match');
    const atEnd =
      matched || this.closure(targets, atStart, true).some((place) => this.program[place]?.kind === 'match');
    const key = `${atStart ? '^' : ''}${waiting.join()}${matched ? '!' : atEnd ? '$' : ''}`;
    const known = this.sets.get(key);
    if (known) return known;
    const set: StateSet = { waiting, matched, matchedAtEnd: atEnd, next: new Map() };
    this.sets.set(key, set);
    return set;
  }

  /** All places that can be reached without a character, in ascending order. */
  private closure(targets: readonly number[], atStart: boolean, atEnd: boolean): number[] {
    const seen = new Set<number>();
    const stack = [...targets];
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      const state = this.program[place];
      if (state?.kind === 'fork') stack.push(...state.to);
      else if ((state?.kind === 'start' && atStart) || (state?.kind === 'end' && atEnd)) stack.push(place + 1);
    }
    return [...seen].sort((a, b) => a - b);
  }
}
