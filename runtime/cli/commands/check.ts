import type { Command } from 'commander';
import { systemClock } from '../../clock.ts';
import { counted } from '../../counted.ts';
import { messageOf } from '../../errors.ts';
import type { BoundTopology } from '../../topology/bound.ts';
import type { Diagnostic } from '../../topology/diagnostic.ts';
import { type CommandContext, describeDiagnostics, isUnreadable } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { groups } from '../groups.ts';
import { cliLimits } from '../limits.ts';

interface CheckOptions {
  readonly connect?: true;
  readonly json?: true;
}

export function register(program: Command, context: CommandContext): void {
  program
    .command('check')
    .helpGroup(groups.write)
    .summary('find every mistake in topology files')
    .description(
      'Checks topology files completely and prints every problem with its place. Nothing is started, nothing is changed.\nTest files (*.test.yaml, *.test.snapshot.yaml) are passed over: mach test runs them.',
    )
    .argument('<file...>', 'topology files, or folders: every YAML file in them that has sources, operators or sinks')
    .option('--connect', 'also try to reach everything that the topology talks to')
    .option('--json', 'print {"errors":[{code,file,line,column,message,suggestion}],"warnings":[...]}')
    .action((files: string[], options: CheckOptions) => check(files, options, context));
}

async function check(
  paths: readonly string[],
  { connect, json }: CheckOptions,
  context: CommandContext,
): Promise<void> {
  const { diagnosticsToJson, hasErrors, loadTopology } = await import('../../topology/index.ts');
  const { catalogue } = await context.loadCatalogue();
  const diagnostics: Diagnostic[] = [];
  const good: string[] = [];
  let onlyUnreadable = true;
  const files = await topologyFilesOf(paths);
  for (const file of files) {
    const loaded = loadTopology(file, { catalogue, env: context.env });
    const unreachable = loaded.topology && connect ? await probeAll(loaded.topology, context) : [];
    diagnostics.push(...loaded.diagnostics, ...unreachable);
    if (hasErrors([...loaded.diagnostics, ...unreachable]) && !isUnreadable(loaded.diagnostics)) onlyUnreadable = false;
    if (loaded.topology && unreachable.length === 0)
      good.push(describeTopology(loaded.topology, { connected: connect === true }));
  }
  const failed = hasErrors(diagnostics);
  if (json) context.print(JSON.stringify(diagnosticsToJson(diagnostics), null, 2));
  else {
    if (diagnostics.length > 0) {
      context.print(await describeDiagnostics(diagnostics, { frames: context.isTerminal, color: context.color }));
    }
    for (const line of good) context.print(line);
    if (files.size === 0) context.print('Only files of tests: mach test runs them.');
  }
  if (failed) throw new CommandExit(onlyUnreadable ? exitCodes.usage : exitCodes.found);
}

async function topologyFilesOf(paths: readonly string[]): Promise<Set<string>> {
  const { filesIn, hasNodes, isFolder, isTestOrSnapshot, isTopologyFile } = await import('../../topology/files.ts');
  const files = new Set<string>();
  for (const path of paths) {
    if (!isFolder(path)) {
      if (!isTestOrSnapshot(path)) files.add(path);
      continue;
    }
    const found = filesIn(path, isTopologyFile).filter(hasNodes);
    if (found.length === 0) throw cliErrors.make('MACH1605', { file: path, reason: 'a folder without topology files' });
    for (const file of found) files.add(file);
  }
  return files;
}

function describeTopology(
  { file, name, sources, operators, sinks }: BoundTopology,
  { connected }: { connected: boolean },
): string {
  const parts = [
    counted(sources.length, 'source'),
    counted(operators.length, 'operator'),
    counted(sinks.length, 'sink'),
  ];
  return `${file}: ${name} is right: ${parts.join(', ')}${connected ? ', everything reached' : ''}`;
}

/** Opens every connection at once; each failure is a problem at the node. */
async function probeAll(topology: BoundTopology, { env }: CommandContext): Promise<Diagnostic[]> {
  const { makeDiagnostic } = await import('../../topology/diagnostic.ts');
  const nodes = [...topology.sources, ...topology.sinks];
  // The embedded store is there when the engine is.
  const store = env.CLICKHOUSE_URL ? probeStore(env.CLICKHOUSE_URL) : undefined;
  const found = await Promise.all(
    nodes.map(async ({ id, kind, bound }) => {
      const hasTables = 'tables' in bound && (bound.tables ?? []).length > 0;
      const probe = bound.probe?.() ?? (hasTables ? store : undefined);
      const reason = probe && (await withTimeout(probe));
      if (reason === undefined) return [];
      const { ir, file, redactor } = topology;
      const span = [...ir.sources, ...ir.sinks].find((node) => node.id === id)?.definitionSpan;
      const place = span ?? { line: 1, column: 1, length: 1 };
      return [makeDiagnostic('MACH1254', { file, span: place, data: { kind, id, reason: redactor.redact(reason) } })];
    }),
  );
  return found.flat();
}

async function probeStore(address: string): Promise<void> {
  const { connectStore, parseStoreUrl } = await import('../../store/index.ts');
  const store = await connectStore({ ...parseStoreUrl(address), clock: systemClock() });
  try {
    await store.check();
  } finally {
    await store.close();
  }
}

/** Why it failed; undefined when it did not. */
async function withTimeout(probe: Promise<void>): Promise<string | undefined> {
  const { probeTimeoutMs } = cliLimits;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve(`no answer within cliLimits.probeTimeoutMs (${probeTimeoutMs} ms)`),
      probeTimeoutMs,
    );
  });
  try {
    return await Promise.race([probe.then(() => undefined, messageOf), late]);
  } finally {
    clearTimeout(timer);
  }
}
