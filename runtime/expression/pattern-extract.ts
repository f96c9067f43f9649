/**
 * What a pattern takes out of a text: the preferred match that stands first, in time linear in the text. Every place of the automaton is
 * visited at most once for each character, with the beginnings of its match and of its group (R. Cox, "Regular Expression Matching:
 * the Virtual Machine Approach").
 */
import type { Program } from './pattern-program.ts';

interface Thread {
  readonly place: number;
  /** Where the match, and the group, begin and end in the text; -1 where they have not. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

export function extractor(program: Program): (text: string) => string | null {
  const hasGroup = program.some((state) => state.kind === 'fork' && state.save !== undefined);
  /** For each place the visit at which it was seen last. */
  const seen = new Float64Array(program.length);
  let visit = 0;

  /** Adds what can be reached from a thread without a character, the preferred first. */
  function follow(thread: Thread, at: number, text: string, list: Thread[]): void {
    const stack = [thread];
    for (let one = stack.pop(); one; one = stack.pop()) {
      const { place } = one;
      if (seen[place] === visit) continue;
      seen[place] = visit;
      const state = program[place];
      if (state?.kind === 'start' && at === 0) stack.push({ ...one, place: place + 1 });
      else if (state?.kind === 'end' && at === text.length) stack.push({ ...one, place: place + 1 });
      else if (state?.kind === 'character' || state?.kind === 'match') list.push(one);
      else if (state?.kind === 'fork') {
        const saved = state.save === undefined ? one : { ...one, [state.save]: at };
        for (let next = state.to.length - 1; next >= 0; next--)
          stack.push({ ...saved, place: state.to[next] as number });
      }
    }
  }

  function find(text: string): (Thread & { end: number }) | null {
    let found: (Thread & { end: number }) | null = null;
    let threads: Thread[] = [];
    visit++;
    for (let at = 0; ; ) {
      // Another beginning is tried as long as nothing has matched, after all that began before.
      if (!found) follow({ place: 0, start: at, from: -1, to: -1 }, at, text, threads);
      if (threads.length === 0 && found) return found;
      const character = at < text.length ? (text.codePointAt(at) as number) : -1;
      const after = at + (character > 0xffff ? 2 : 1);
      const next: Thread[] = [];
      visit++;
      for (const thread of threads) {
        const state = program[thread.place];
        if (state?.kind === 'match') {
          found = { ...thread, end: at };
          break;
        }
        if (character >= 0 && state?.accepts?.(character))
          follow({ ...thread, place: thread.place + 1 }, after, text, next);
      }
      if (character < 0) return found;
      threads = next;
      at = after;
    }
  }

  return (text) => {
    const found = find(text);
    if (!found) return null;
    if (!hasGroup) return text.slice(found.start, found.end);
    return found.from < 0 || found.to < found.from ? null : text.slice(found.from, found.to);
  };
}
