import type { Command } from 'commander';
import type { TestResult } from '../../testing/topology-test/index.ts';
import type { Diagnostic } from '../../topology/diagnostic.ts';
import { type CommandContext, describeDiagnostics } from '../context.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';

interface TestFlags {
  readonly json?: true;
  readonly only?: string;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('test')
    .helpGroup(groups.write)
    .summary('run the tests of topologies, in virtual time')
    .description(
      'Runs the tests that lie beside topologies: events in at their times, expected rows out, crashes and faults between, in virtual time and without servers. Every test is run again with its input cut differently and a crash in the middle; the rows must be the same.\nExit code 1 when a test fails.',
    )
    .argument('<file...>', 'files of tests (*.test.yaml), topologies that have one beside them, or folders')
    .option('--only <text>', 'only tests whose name contains this')
    .option('--json', 'print {"files":[{file,tests:[{name,line,passed,failures}]}],"errors":[...]}')
    .action((files: string[], flags: TestFlags) => test(files, flags, context));
}

interface FileResult {
  readonly file: string;
  readonly tests: TestResult[];
}

async function test(paths: readonly string[], { json, only }: TestFlags, context: CommandContext): Promise<void> {
  const { findTestFiles, loadTopologyTests, runTopologyTests, topologyTestErrors } = await import(
    '../../testing/topology-test/index.ts'
  );
  const { diagnosticsToJson, hasErrors } = await import('../../topology/index.ts');
  const { catalogue } = await context.loadCatalogue();
  const problems: Diagnostic[] = [];
  const results: FileResult[] = [];
  for (const path of new Set(paths)) {
    const files = findTestFiles(path);
    if (files.length === 0) throw topologyTestErrors.make('MACH1513', { file: path });
    for (const file of files) {
      const { tests: found, diagnostics } = await loadTopologyTests(file, { catalogue, env: context.env });
      problems.push(...diagnostics);
      if (diagnostics.length > 0 && !json) {
        context.print(await describeDiagnostics(diagnostics, { frames: context.isTerminal, color: context.color }));
      }
      if (!found) continue;
      const chosen = found.tests.filter(({ name }) => only === undefined || name.includes(only));
      const result: FileResult = { file, tests: [] };
      results.push(result);
      if (!json) context.print(file);
      for await (const one of runTopologyTests({ ...found, tests: chosen })) {
        result.tests.push(one);
        if (!json) context.print(describeResult(one, file, context.color));
      }
    }
  }
  if (json) context.print(JSON.stringify({ files: results.map(fileToJson), ...diagnosticsToJson(problems) }, null, 2));
  const failed = results.flatMap(({ tests }) => tests).filter(({ failures }) => failures.length > 0).length;
  const total = results.reduce((sum, { tests }) => sum + tests.length, 0);
  if (!json) context.print(describeTotal({ total, failed, color: context.color }));
  if (failed > 0 || hasErrors(problems)) throw new CommandExit(exitCodes.found);
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
  if (failed === 0) return `${tests}, ${paint('green', 'all passed', color)}`;
  return `${tests}, ${paint('red', `${failed} failed`, color)}   (- expected, + got)`;
}

function fileToJson({ file, tests }: FileResult) {
  return {
    file,
    tests: tests.map(({ name, line, failures }) => ({ name, line, passed: failures.length === 0, failures })),
  };
}
