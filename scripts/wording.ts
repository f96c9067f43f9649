/** Words that say that something is not finished, and tests that do not run: neither belongs in the repository. */
import type { SourceFile } from './import-walls.ts';

interface Forbidden {
  readonly pattern: RegExp;
  readonly why: string;
}

const unfinished = 'finish it, delete it, or write an issue';
const notRun = 'every test runs, or it is deleted';

const forbidden: readonly Forbidden[] = [
  // The letters are kept apart so that this file does not find itself.
  {
    pattern: new RegExp(`\\b(${['TO', 'FIX', 'X'].map((start, at) => start + ['DO', 'ME', 'XX'][at]).join('|')})\\b`),
    why: unfinished,
  },
  { pattern: new RegExp(`\\bnot ${'implemented'}\\b`, 'i'), why: unfinished },
  { pattern: /\b(?:it|test|describe|suite|bench)(?:\.\w+)*\.(?:only|skip|skipIf|runIf|todo|fails)\b/, why: notRun },
];

/** The places where a file has such a word, a line each: `path:line  "the word": why`. */
export function checkWording({ path, text }: SourceFile): string[] {
  return text.split('\n').flatMap((line, index) =>
    forbidden.flatMap(({ pattern, why }) => {
      const found = pattern.exec(line)?.[0];
      return found ? [`${path}:${index + 1}  "${found}": ${why}`] : [];
    }),
  );
}
