/** Problems as people read them: one line each for logs and pipes, with the line of the file on a terminal. */
import { counted } from '../counted.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Longer lines of a file are shown around the place only. */
const shownLineWidthMax = 100;

/** `MACH1105 topologies/ed.yaml:41:9  operator "overload" reads "cam_7", which is not defined. Did you mean "cam-7"?` */
export function formatOneLine({ code, severity, file, line, column, message, suggestion }: Diagnostic): string {
  const warning = severity === 'warning' ? 'warning: ' : '';
  const hint = suggestion ? `. ${capitalize(suggestion)}` : '';
  return `${code} ${file}:${line}:${column}  ${warning}${message}${hint}`;
}

export interface FrameOptions {
  /** Text of the files, for the lines that are shown. */
  readonly sources: ReadonlyMap<string, string>;
  readonly color?: boolean;
}

/** All problems of one file, each with the line that it is in. */
export function formatFrames(diagnostics: readonly Diagnostic[], { sources, color = false }: FrameOptions): string {
  const paint = (style: keyof typeof styles, text: string) =>
    color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  const blocks = diagnostics.map((diagnostic) => {
    const { code, severity, line, column, message, suggestion } = diagnostic;
    const place = `${line}:${column}`.padEnd(6);
    const head = `${paint(severity === 'error' ? 'red' : 'yellow', code)}  ${paint('bold', place)}  ${severity === 'warning' ? 'warning: ' : ''}${message}`;
    const frame = codeFrame(diagnostic, sources.get(diagnostic.file));
    if (!frame) return suggestion ? `${head}\n          ${suggestion}` : head;
    const marker = paint('red', '^'.repeat(frame.length));
    const hint = suggestion ? ` ${paint('cyan', suggestion)}` : '';
    return `${head}\n          ${paint('dim', '|')} ${frame.text}\n          ${paint('dim', '|')} ${' '.repeat(frame.offset)}${marker}${hint}`;
  });
  return blocks.join('\n');
}

const styles = { red: '31', yellow: '33', cyan: '36', bold: '1', dim: '2' } as const;

/** `ed.yaml has 2 errors and 1 warning` */
export function formatCounts(file: string, diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const parts = [];
  if (errors > 0) parts.push(counted(errors, 'error'));
  if (warnings > 0) parts.push(counted(warnings, 'warning'));
  return `${file} has ${parts.join(' and ') || 'no errors'}`;
}

function codeFrame({ line, column, length }: Diagnostic, source: string | undefined) {
  const text = source?.split('\n')[line - 1]?.replace(/\r$/, '').replaceAll('\t', ' ');
  if (!text || text.trim() === '') return undefined;
  const indent = text.length - text.trimStart().length;
  let from = Math.min(indent, column - 1);
  if (text.length - from > shownLineWidthMax) from = Math.max(from, column - 1 - Math.floor(shownLineWidthMax / 2));
  const shown = text.slice(from, from + shownLineWidthMax);
  const offset = Math.max(0, Math.min(column - 1 - from, shown.length));
  return { text: shown, offset, length: Math.max(1, Math.min(length, shown.length - offset)) };
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
