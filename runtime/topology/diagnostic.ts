/** Problems of topology files, each with its place. */
import { type ErrorData, fillMessage } from '../errors.ts';
import { limits } from '../limits.ts';
import { type TopologyErrorCode, topologyErrors } from './errors.ts';
import type { Span } from './ir/span.ts';

export type Severity = 'error' | 'warning';

export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** Path as it was given on the command line. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Characters that are wrong, from the column on. */
  readonly length: number;
  /** What is wrong, and why. */
  readonly message: string;
  /** What was probably meant, or what to do. */
  readonly suggestion?: string;
}

export function makeDiagnostic(
  code: TopologyErrorCode,
  {
    file,
    span,
    data = {},
    suggestion,
    severity = 'error',
  }: {
    file: string;
    span: Span;
    data?: ErrorData;
    suggestion?: string | undefined;
    severity?: Severity;
  },
): Diagnostic {
  const { line, column, length } = span;
  const message = fillMessage(topologyErrors.list[code].message, data);
  return { code, severity, file, line, column, length, message, ...(suggestion !== undefined && { suggestion }) };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

/** In the order of the file, each problem once, at most `limits.diagnosticsMax` of them. */
export function arrangeDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sorted = [...diagnostics].sort(
    (a, b) => compareTexts(a.file, b.file) || a.line - b.line || a.column - b.column || compareTexts(a.code, b.code),
  );
  const seen = new Set<string>();
  const unique = sorted.filter(({ code, file, line, column, message }) => {
    const identity = JSON.stringify([code, file, line, column, message]);
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
  if (unique.length <= limits.diagnosticsMax) return unique;
  // Errors are kept before warnings, or a file full of warnings could hide that it has an error.
  const errors = unique.filter(({ severity }) => severity === 'error');
  const kept = (errors.length > 0 ? errors : unique).slice(0, limits.diagnosticsMax - 1);
  const last = kept[kept.length - 1] as Diagnostic;
  const more = makeDiagnostic('MACH1021', {
    file: last.file,
    span: last,
    data: { count: unique.length - kept.length },
    severity: last.severity,
  });
  return [...kept, more];
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** For scripts: `mach check --json`. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): { errors: object[]; warnings: object[] } {
  const of = (wanted: Severity) =>
    diagnostics
      .filter(({ severity }) => severity === wanted)
      .map(({ code, file, line, column, message, suggestion }) => ({
        code,
        file,
        line,
        column,
        message,
        suggestion: suggestion ?? null,
      }));
  return { errors: of('error'), warnings: of('warning') };
}
