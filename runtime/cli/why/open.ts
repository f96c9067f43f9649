/** `mach why --open NODE KEY`: what a key of a node waits for. From the engine that runs, else from the last checkpoint. */

import { MachError, messageOf } from '../../errors.ts';
import { decodeCheckpoint, listCheckpoints } from '../../execution/checkpoint.ts';
import { readSchemaBook } from '../../execution/schema-book.ts';
import { whyErrors } from '../../execution/why/errors.ts';
import { lastWordOf } from '../../execution/why/last-word.ts';
import { describeOpenKey, describeOpenReport, type OpenReport } from '../../execution/why/open-key.ts';
import { isoTime } from '../../execution/why/shown.ts';
import { viewOfSnapshot } from '../../execution/why/snapshot-view.ts';
import { stageName } from '../../topology/names.ts';
import { auditFile, openAction, recordReveal } from '../audit.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { fetchEngine } from '../fetch-engine.ts';
import { compareWithLast } from '../last-version.ts';
import { cliLimits } from '../limits.ts';
import { findRuns } from '../run-file.ts';
import { type LookedInto, type PlaceFlags, topologyOf, withLog } from './open-past.ts';

export interface OpenFlags extends PlaceFlags {
  readonly url?: string;
  readonly reason?: string;
  readonly json?: true;
}

/** Options of who asks why a row is there. */
interface RowFlags {
  readonly reveal?: true;
  readonly replayed?: true;
  readonly messages?: string;
}

const meaningless = [
  { flag: 'reveal', option: '--reveal', reason: 'what points at a person is always hidden there' },
  { flag: 'replayed', option: '--replayed', reason: 'it is asked of what runs, or of its last checkpoint' },
  { flag: 'messages', option: '--messages', reason: 'no messages are named there' },
] as const;

interface Question {
  readonly node: string;
  readonly key: string;
  /** Id of what was written down of who asks. */
  readonly audit?: string;
}

export async function whyOpen(
  node: string,
  keys: readonly string[],
  flags: OpenFlags & RowFlags,
  context: CommandContext,
): Promise<void> {
  for (const { flag, option, reason } of meaningless)
    if (flags[flag] !== undefined) throw cliErrors.make('MACH1664', { option, reason });
  if (keys.length === 0) throw cliErrors.make('MACH1662', { node });
  const key = keys.join(',');
  const url = flags.url ?? (await runningUrl(flags));
  const ask = (question: Question) =>
    url ? askEngine(url, question) : withLog(flags, context, (looked) => fromCheckpoint(context, looked, question));
  const report = await ask({ node, key }).catch(async (error) => {
    if (flags.reason === undefined || !isOfPerson(error)) throw error;
    const topology = url ? await topologyAt(url) : (await topologyOf(flags, context)).name;
    const { data: directory, reason } = flags;
    const args = { directory, env: context.env, action: openAction, topology, reason };
    const audit = await recordReveal({ ...args, subject: { node, key } });
    context.printError(`that you asked is written in ${auditFile}`);
    return ask({ node, key, audit });
  });
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

/** Whether it is refused because the key points at a person. */
function isOfPerson(error: unknown): boolean {
  const code = 'MACH3268' satisfies keyof typeof whyErrors.list;
  return error instanceof MachError ? error.code === code : messageOf(error).startsWith(code);
}

async function topologyAt(url: string): Promise<string> {
  const { name } = (await answerOf(url, '/graph')) as { readonly name: string };
  return name;
}

async function askEngine(url: string, question: Question): Promise<OpenReport> {
  const answer = (await answerOf(url, `/why?${new URLSearchParams({ ...question })}`)) as
    | OpenReport
    | { readonly error: string };
  if ('error' in answer) throw new CommandExit(exitCodes.usage, withHelp(answer.error));
  return answer;
}

async function answerOf(url: string, path: string): Promise<unknown> {
  const response = await fetchEngine(url, path, { signal: AbortSignal.timeout(cliLimits.probeTimeoutMs) });
  return response.json();
}

/** The engine says an error as `CODE  message`. */
function withHelp(error: string): string {
  const [code] = /^MACH\d{4}\b/.exec(error) ?? [];
  return code === undefined ? error : `${error}\nmach help ${code} tells more.`;
}

/** The newest of every stage and partition, all of which stand for one moment or nearly so. */
async function fromCheckpoint(
  context: CommandContext,
  { topology, names, log }: LookedInto,
  { audit, ...question }: Question,
): Promise<OpenReport> {
  const objects = await log.objects(names.checkpointBucket);
  // Before it is written down who asks, it has been asked without.
  if (audit === undefined) await compareWithLast(objects, topology, { context, reveals: false });
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
    isRecorded: audit !== undefined,
    stages: checkpoints.map(({ snapshot }) => viewOfSnapshot(snapshot)),
    asOf: { kind: 'checkpoint', at: isoTime(first.head.takenAt), name: first.name },
    now: undefined,
    lastWord: (source, origin) => lastWordOf(input, source, origin),
  });
}
