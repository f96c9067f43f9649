/** `mach why --open NODE KEY`: what a key of a node waits for. From the engine that runs, else from the last checkpoint. */

import { decodeCheckpoint, listCheckpoints } from '../../execution/checkpoint.ts';
import { readSchemaBook } from '../../execution/schema-book.ts';
import { whyErrors } from '../../execution/why/errors.ts';
import { lastWordOf } from '../../execution/why/last-word.ts';
import { describeOpenKey, describeOpenReport, type OpenReport } from '../../execution/why/open-key.ts';
import { isoTime } from '../../execution/why/shown.ts';
import { viewOfSnapshot } from '../../execution/why/snapshot-view.ts';
import { stageName } from '../../topology/names.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { fetchEngine } from '../fetch-engine.ts';
import { cliLimits } from '../limits.ts';
import { findRuns } from '../run-file.ts';
import { type LookedInto, type PlaceFlags, withLog } from './open-past.ts';

export interface OpenFlags extends PlaceFlags {
  readonly url?: string;
  readonly json?: true;
}

export async function whyOpen(
  node: string,
  keys: readonly string[],
  flags: OpenFlags,
  context: CommandContext,
): Promise<void> {
  if (keys.length === 0) throw cliErrors.make('MACH1662', { node });
  const key = keys.join(',');
  const url = flags.url ?? (await runningUrl(flags));
  const report = url
    ? await askEngine(url, { node, key })
    : await withLog(flags, context, (looked) => fromCheckpoint(looked, { node, key }));
  if (flags.json) context.print(JSON.stringify(report, null, 2));
  else for (const line of describeOpenReport(report)) context.print(line);
  if (!report.known) throw new CommandExit(exitCodes.found);
}

async function runningUrl({ data, topology }: OpenFlags): Promise<string | undefined> {
  const runs = await findRuns(data);
  if (runs.length > 1 && topology === undefined) {
    const found = `${runs.map((run) => `${run.topology} at ${run.url}`).join(', ')} run here`;
    throw cliErrors.make('MACH1621', { found, directory: data });
  }
  return runs.length === 1 ? runs[0]?.url : undefined;
}

async function askEngine(url: string, { node, key }: { node: string; key: string }): Promise<OpenReport> {
  const path = `/why?node=${encodeURIComponent(node)}&key=${encodeURIComponent(key)}`;
  const response = await fetchEngine(url, path, { signal: AbortSignal.timeout(cliLimits.probeTimeoutMs) });
  const answer = (await response.json()) as OpenReport | { readonly error: string };
  if ('error' in answer) throw new CommandExit(exitCodes.usage, withHelp(answer.error));
  return answer;
}

/** The engine says an error as `CODE  message`. */
function withHelp(error: string): string {
  const [code] = /^MACH\d{4}\b/.exec(error) ?? [];
  return code === undefined ? error : `${error}\nmach help ${code} tells more.`;
}

/** The newest of every stage and partition, all of which stand for one moment or nearly so. */
async function fromCheckpoint(
  { topology, names, log }: LookedInto,
  question: { node: string; key: string },
): Promise<OpenReport> {
  const objects = await log.objects(names.checkpointBucket);
  await readSchemaBook(objects);
  const newest = new Map<string, { name: string; sequence: number }>();
  for (const { name, kind, stage, partition, sequence } of await listCheckpoints(objects)) {
    const part = `${stage}/${partition}`;
    if (kind === 'kept' && (newest.get(part)?.sequence ?? -1) < sequence) newest.set(part, { name, sequence });
  }
  const input = await log.find(names.inputStream(stageName(1)));
  const checkpoints = [];
  for (const { name } of newest.values()) {
    const data = await objects.get(name);
    if (data) checkpoints.push({ name, ...decodeCheckpoint(name, data) });
  }
  const [first] = checkpoints;
  if (!first || !input) throw whyErrors.make('MACH3265', { topology: topology.name });
  return describeOpenKey({
    topology,
    ...question,
    stages: checkpoints.map(({ snapshot }) => viewOfSnapshot(snapshot)),
    asOf: { kind: 'checkpoint', at: isoTime(first.head.takenAt), name: first.name },
    now: undefined,
    lastWord: (source, origin) => lastWordOf(input, source, origin),
  });
}
