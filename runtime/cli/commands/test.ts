import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Coverage, TestFile, TestResult } from '../../testing/topology-test/index.ts';
import type { Diagnostic } from '../../topology/diagnostic.ts';
import { type CommandContext, describeDiagnostics } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';

interface TestFlags {
  readonly json?: true;
  readonly only?: string;
  readonly update?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('test')
    .helpGroup(groups.write)
    .summary('run the tests of topologies, in virtual time')
    .description(
      'Runs the tests that lie beside topologies: events in at their times, expected rows out, crashes and faults between, in virtual time and without servers. Every test is run again with its input cut differently and a crash in the middle; the rows must be the same; with `partitions: 4` in the file, at four partitions too.\nExit code 1 when a test fails.',
    )
    .argument('<file...>', 'files of tests (*.test.yaml), topologies that have one beside them, or folders')
    .option('--only <text>', 'only tests whose name contains this')
    .option('--update', 'write the rows of snapshots as they are now, beside the tests')
    .option('--json', 'print {"files":[{file,tests:[{name,line,passed,failures}],coverage}],"errors":[...]}')
    .action((files: string[], flags: TestFlags) => test(files, flags, context));
}

interface FileResult {
  readonly file: string;
  readonly tests: TestResult[];
  /** Undefined when not all tests ran. */
  coverage?: Coverage;
  /** Snapshots that were written anew. */
  updated: number;
}

async function test(paths: readonly string[], flags: TestFlags, context: CommandContext): Promise<void> {
  const { json } = flags;
  const testing = await import('../../testing/topology-test/index.ts');
  const { findTestFiles, loadTopologyTests, topologyTestErrors } = testing;
  const { diagnosticsToJson, hasErrors } = await import('../../topology/index.ts');
  const { catalogue } = await context.loadCatalogue();
  const problems: Diagnostic[] = [];
  const results: FileResult[] = [];
  for (const path of new Set(paths)) {
    if (!existsSync(path)) throw cliErrors.make('MACH1605', { file: path, reason: 'it does not exist' });
    const files = findTestFiles(path);
    if (files.length === 0) throw topologyTestErrors.make('MACH1513', { file: path });
    for (const file of files) {
      const { tests: found, diagnostics } = await loadTopologyTests(file, { catalogue, env: context.env });
      problems.push(...diagnostics);
      if (diagnostics.length > 0 && !json) {
        context.print(await describeDiagnostics(diagnostics, { frames: context.isTerminal, color: context.color }));
      }
      if (!found) continue;
      if (!json) context.print(file);
      results.push(await runFile(found, flags, context));
    }
  }
  if (json) context.print(JSON.stringify({ files: results.map(fileToJson), ...diagnosticsToJson(problems) }, null, 2));
  const failed = results.flatMap(({ tests }) => tests).filter(({ failures }) => failures.length > 0).length;
  const total = results.reduce((sum, { tests }) => sum + tests.length, 0);
  if (flags.only !== undefined && total === 0 && !hasErrors(problems))
    throw topologyTestErrors.make('MACH1516', { text: flags.only });
  if (!json) context.print(describeTotal({ total, failed, color: context.color }));
  if (failed > 0 || hasErrors(problems)) throw new CommandExit(exitCodes.found);
}

async function runFile(
  found: TestFile,
  { json, only, update }: TestFlags,
  context: CommandContext,
): Promise<FileResult> {
  const { coverageOf, openSnapshots, runTopologyTests } = await import('../../testing/topology-test/index.ts');
  const { file, topology } = found;
  const tests = found.tests.filter(({ name }) => only === undefined || name.includes(only));
  const snapshots = openSnapshots(file, { update: update === true });
  const result: FileResult = { file, tests: [], updated: 0 };
  for await (const one of runTopologyTests({ ...found, tests }, snapshots)) {
    result.tests.push(one);
    if (!json) context.print(describeResult(one, file, context.color));
  }
  const isWhole = tests.length === found.tests.length;
  if (update) result.updated = snapshots.save({ isWhole });
  if (isWhole) {
    const reached = result.tests.flatMap((one) => one.reached ?? []);
    result.coverage = coverageOf(topology, reached);
  }
  if (!json) for (const line of describeFile(result, context.color)) context.print(line);
  return result;
}

function describeFile({ coverage, updated }: FileResult, color: boolean): string[] {
  const lines = updated > 0 ? [`  ${updated} ${updated === 1 ? 'snapshot' : 'snapshots'} written`] : [];
  if (!coverage) return lines;
  const { nodes, outputs } = coverage;
  const count = (part: { reached: number; total: number }, what: string) => `${part.reached} of ${part.total} ${what}`;
  const missing = [...new Set([...nodes.missing, ...outputs.missing])];
  const never = missing.length === 0 ? '' : `; never: ${missing.join(', ')}`;
  const line = `  reached ${count(nodes, 'nodes')}, ${count(outputs, 'outputs')}${never}`;
  return [...lines, paint('dim', line, color)];
}

const styles = { red: '31', green: '32', dim: '2' } as const;

function paint(style: keyof typeof styles, text: string, color: boolean): string {
  return color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
}

function describeResult({ name, failures }: TestResult, file: string, color: boolean): string {
  if (failures.length === 0) return `  ${paint('green', '✓', color)} ${name}`;
  const lines = [`  ${paint('red', '✗', color)} ${name}`];
  for (const { code, line, column, message, difference } of failures) {
    lines.push(`      ${code} ${file}:${line}:${column}  ${message}`);
    for (const one of difference) {
      const style = one.startsWith('-') ? 'red' : one.startsWith('+') ? 'green' : 'dim';
      lines.push(`        ${paint(style, one, color)}`);
    }
  }
  return lines.join('\n');
}

function describeTotal({ total, failed, color }: { total: number; failed: number; color: boolean }): string {
  const tests = `${total} ${total === 1 ? 'test' : 'tests'}`;
  if (total === 0) return tests;
  if (failed === 0) return `${tests}, ${paint('green', 'all passed', color)}`;
  return `${tests}, ${paint('red', `${failed} failed`, color)}   (- expected, + got)`;
}

function fileToJson({ file, tests, coverage, updated }: FileResult) {
  return {
    file,
    coverage: coverage ?? null,
    updated,
    tests: tests.map(({ name, line, failures }) => ({ name, line, passed: failures.length === 0, failures })),
  };
}
