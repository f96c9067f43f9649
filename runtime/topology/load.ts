/** A topology file, checked completely: the bound form, or every problem with its place. */
import type { Catalogue } from '../stream/definition.ts';
import { bindTopology, type LoadResult } from './bind.ts';
import { arrangeDiagnostics, makeDiagnostic } from './diagnostic.ts';
import { parseTopology } from './parse.ts';
import { describeFileProblem, type Environment, type ReadFile, readFileFromDisk } from './references.ts';
import { decodeSourceText } from './source-text.ts';

export interface LoadOptions {
  readonly catalogue: Catalogue;
  /** For `${env:X}`; that of the process when absent. */
  readonly env?: Environment;
  readonly readFile?: ReadFile;
}

/** Never throws for what is in the file. Opens nothing but the file itself and files that it names. */
export function loadTopology(file: string, { catalogue, env, readFile = readFileFromDisk }: LoadOptions): LoadResult {
  let bytes: Uint8Array;
  try {
    bytes = readFile(file);
  } catch (error) {
    const data = { reason: describeFileProblem(error) };
    return { diagnostics: [makeDiagnostic('MACH1001', { file, span: { line: 1, column: 1, length: 1 }, data })] };
  }
  const { text, problem } = decodeSourceText(bytes, file);
  if (problem) return { diagnostics: [problem] };
  const { ir, places, broken, diagnostics } = parseTopology(text, file, catalogue);
  if (!ir) return { diagnostics: arrangeDiagnostics(diagnostics) };
  return bindTopology(ir, { catalogue, places, broken, diagnostics, readFile, ...(env && { env }) });
}
