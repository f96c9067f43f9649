/**
 * Patterns that a backtracking engine walks in linear time, too: from each place of the text it can go few ways, each no longer than the pattern,
 * before it has matched or failed for good. JavaScript's own engine is then right, and many times faster than an automaton.
 */
import type { PatternNode } from './pattern-syntax.ts';

/** Characters that may be looked at from one place of the text, before it has failed. */
const stepsMax = 256;

/** Repetitions without end may only stand last, over one character: what nothing follows is never tried again. */
export function isDirect(node: PatternNode): boolean {
  return waysOf(node, true) * lengthOf(node) <= stepsMax;
}

/** Characters of the longest way, what is repeated without end counted once: it never fails after the first. */
function lengthOf(node: PatternNode): number {
  switch (node.kind) {
    case 'character':
      return 1;
    case 'start':
    case 'end':
      return 0;
    case 'group':
      return lengthOf(node.of);
    case 'choice':
      return Math.max(...node.parts.map(lengthOf));
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + lengthOf(part), 0);
    case 'repeat':
      return lengthOf(node.of) * Math.max(node.min, Number.isFinite(node.max) ? node.max : 1);
  }
}

/** How many ways there are through a part, at most; Infinity where nobody knows. `isLast`: nothing follows it. */
function waysOf(node: PatternNode, isLast: boolean): number {
  switch (node.kind) {
    case 'character':
    case 'start':
    case 'end':
      return 1;
    case 'group':
      return waysOf(node.of, isLast);
    case 'choice':
      return node.parts.reduce((sum, part) => sum + waysOf(part, isLast), 0);
    case 'sequence':
      return node.parts.reduce(
        (product, part, at) => product * waysOf(part, isLast && at === node.parts.length - 1),
        1,
      );
    case 'repeat':
      return waysOfRepeat(node, isLast);
  }
}

function waysOfRepeat({ of, min, max }: Extract<PatternNode, { kind: 'repeat' }>, isLast: boolean): number {
  // What a group has taken out is forgotten between two rounds by JavaScript, and not by the automaton.
  if (of.kind !== 'character') return max === 1 && !hasGroup(of) ? 1 + waysOf(of, false) : Number.POSITIVE_INFINITY;
  if (max === Number.POSITIVE_INFINITY) return isLast ? 1 : Number.POSITIVE_INFINITY;
  return max - min + 1;
}

function hasGroup(node: PatternNode): boolean {
  switch (node.kind) {
    case 'group':
      return true;
    case 'repeat':
      return hasGroup(node.of);
    case 'sequence':
    case 'choice':
      return node.parts.some(hasGroup);
    default:
      return false;
  }
}

/** As the pattern is written, with its flags. */
export function directly(pattern: RegExp): { test(text: string): boolean; extract(text: string): string | null } {
  return {
    test: (text) => pattern.test(text),
    extract(text) {
      const match = pattern.exec(text);
      if (!match) return null;
      return (match.length > 1 ? match[1] : match[0]) ?? null;
    },
  };
}
