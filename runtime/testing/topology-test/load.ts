/** A file of tests, checked completely: the tests, or every problem with its place. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fillMessage } from '../../errors.ts';
import type { Catalogue } from '../../stream/definition.ts';
import { arrangeDiagnostics, type Diagnostic, hasErrors } from '../../topology/diagnostic.ts';
import { filesIn, isFolder, testFileEnding } from '../../topology/files.ts';
import type { RawValue } from '../../topology/ir/options-node.ts';
import { loadTopology } from '../../topology/load.ts';
import type { FilePlaces, Path, PlaceOptions } from '../../topology/places.ts';
import { describeFileProblem, type Environment } from '../../topology/references.ts';
import { decodeSourceText } from '../../topology/source-text.ts';
import { readYaml } from '../../topology/yaml-text.ts';
import { bindTests } from './bind.ts';
import type { TestFile } from './bound-test.ts';
import { type TopologyTestErrorCode, topologyTestErrors } from './errors.ts';
import { readForm } from './read-form.ts';

export interface LoadTestsResult {
  readonly tests?: TestFile;
  readonly diagnostics: readonly Diagnostic[];
}

export type ReportTestProblem = (problem: {
  code: TopologyTestErrorCode;
  path: Path;
  at?: PlaceOptions['at'];
  data: Readonly<Record<string, string>>;
  suggestion?: string | undefined;
}) => void;

/** Never throws for what is in the file. */
export async function loadTopologyTests(
  file: string,
  { catalogue, env }: { catalogue: Catalogue; env?: Environment },
): Promise<LoadTestsResult> {
  const startOfFile = { line: 1, column: 1, length: 1 };
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const message = `the file cannot be read: ${describeFileProblem(error)}`;
    return { diagnostics: [{ code: 'MACH1501', severity: 'error', file, ...startOfFile, message }] };
  }
  const { text, problem } = decodeSourceText(bytes, file);
  if (problem) return { diagnostics: [problem] };
  const { value, places, diagnostics: syntax } = readYaml(text, file);
  const diagnostics = [...syntax];
  const report = reporter(places, diagnostics);
  if (value === undefined || hasErrors(diagnostics)) return { diagnostics: arrangeDiagnostics(diagnostics) };
  const { raw, isFaulty } = readForm(value as RawValue, report);
  if (!raw) return { diagnostics: arrangeDiagnostics(diagnostics) };
  const topologyFile = join(dirname(file), raw.topology);
  const loaded = loadTopology(topologyFile, { catalogue, ...(env && { env }) });
  if (!loaded.topology) {
    report({ code: 'MACH1503', path: ['topology'], data: { topology: topologyFile } });
    return { diagnostics: [...arrangeDiagnostics(diagnostics), ...loaded.diagnostics] };
  }
  const tests = await bindTests({
    raw,
    topology: loaded.topology,
    folder: dirname(resolve(file)),
    places,
    report(problem) {
      // What misses a value that was left out, because it has another form, is no second mistake.
      if (problem.code !== 'MACH1501' || !isFaulty(problem.path)) report(problem);
    },
  });
  const arranged = arrangeDiagnostics(diagnostics);
  if (hasErrors(arranged)) return { diagnostics: arranged };
  return { tests: { file, topology: loaded.topology, tests }, diagnostics: arranged };
}

function reporter(places: FilePlaces, diagnostics: Diagnostic[]): ReportTestProblem {
  return ({ code, path, at, data, suggestion }) => {
    const { line, column, length } = places.find(path, at === undefined ? {} : { at });
    const message = fillMessage(topologyTestErrors.list[code].message, data);
    const { file } = places;
    const hint = suggestion === undefined ? {} : { suggestion };
    diagnostics.push({ code, severity: 'error', file, line, column, length, message, ...hint });
  };
}

/**
 * The files of tests that a path of the command line means: the file itself, the one beside a topology, or all in a folder
 * and its folders.
 */
export function findTestFiles(path: string): string[] {
  if (isFolder(path)) return filesIn(path, (file) => testFileEnding.test(file));
  if (testFileEnding.test(path)) return [path];
  const beside = ['.test.yaml', '.test.yml'].map((ending) => path.replace(/\.ya?ml$/, ending));
  const found = beside.find((file) => file !== path && existsSync(file));
  return found === undefined ? [] : [found];
}
