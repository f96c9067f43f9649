/** `mach why RESULT`: why a row is there. */
import { openPast, type Past } from '../../execution/replay/past.ts';
import { rowAt } from '../../execution/replay/row-at.ts';
import { whyErrors } from '../../execution/why/errors.ts';
import { explainRow } from '../../execution/why/explain.ts';
import { type FoundResult, findResult, parseResult, type ResultQuery } from '../../execution/why/find-result.ts';
import { whyLimits } from '../../execution/why/limits.ts';
import { reportOf } from '../../execution/why/report.ts';
import { stageName } from '../../topology/names.ts';
import { auditFile, reasonOf, recordReveal } from '../audit.ts';
import type { CommandContext } from '../context.ts';
import { cliErrors } from '../errors.ts';
import { CommandExit, exitCodes } from '../exit-codes.ts';
import { compareWithLast } from '../last-version.ts';
import { takesCount } from '../takes.ts';
import { type PlaceFlags, withLog } from './open-past.ts';
import { describeReport } from './print-report.ts';

export interface ResultFlags extends PlaceFlags {
  readonly messages?: string;
  readonly verify: boolean;
  readonly reveal?: true;
  readonly reason?: string;
  readonly all?: true;
  readonly replayed?: true;
  readonly json?: true;
}

export async function whyResult(
  result: string,
  conditions: readonly string[],
  flags: ResultFlags,
  context: CommandContext,
): Promise<void> {
  const messagesMax = countOf(flags.messages);
  if (flags.reveal) reasonOf(flags.reason);
  const verified = await withLog(flags, context, async ({ topology, names, log }) => {
    const query = parseResult(topology, result, conditions);
    const write = (subject: object) =>
      recordReveal({
        directory: flags.data,
        env: context.env,
        action: 'why',
        topology: topology.name,
        subject: { result: query.text, ...subject },
        reason: flags.reason,
      });
    if (query.personal.length > 0) {
      if (flags.reason === undefined) throw cliErrors.make('MACH1663', { fields: query.personal.join(', ') });
      await write({ asked_by: query.personal });
      context.printError(`that you asked is written in ${auditFile}`);
    }
    const objects = await log.objects(names.checkpointBucket);
    await compareWithLast(objects, topology, { context, reveals: flags.reveal === true });
    const past = await openPast({ log, topology, names, objects });
    const { row, matched } = flags.replayed
      ? await replayedResult(past, query)
      : await findResult(log, topology, query);
    if (!flags.json && matched > 1) {
      const which = query.takes === 'newest' ? 'newest' : 'first';
      context.printError(`${matched} rows fit; this is the ${which} of them`);
    }
    if (flags.reveal) {
      const { sink, sequence, index } = row;
      await write({ sink, sequence, index });
      context.printError(`that you looked is written in ${auditFile}`);
    }
    const explanation = await explainRow({ past, topology, messagesMax, verify: flags.verify }, row);
    const report = await reportOf(explanation, { past, topology, reveal: flags.reveal === true });
    if (flags.json) context.print(JSON.stringify(report, null, 2));
    else for (const line of describeReport(report, { all: flags.all === true })) context.print(line);
    return report.replay.verified;
  });
  if (verified === false) throw new CommandExit(exitCodes.found, 'Replayed alone, these messages do not give the row.');
}

/** A row of a shadow is in no log of results; its place says which message gives it. Rejects with MACH3260 and MACH3261. */
async function replayedResult(past: Past, { text, place, sinks }: ResultQuery): Promise<FoundResult> {
  if (!place) throw whyErrors.make('MACH3260', { result: text, reason: '--replayed needs the place of a row' });
  const { sequence, index } = place;
  const found = await rowAt(past, { sinks: sinks.map(({ id }) => id), sequence, index });
  if (!found) throw whyErrors.make('MACH3261', { result: text });
  const { event, time } = found.row;
  return { row: { sink: found.sink, stage: stageName(1), partition: 0, sequence, index, event, time }, matched: 1 };
}

function countOf(value: string | undefined): number {
  if (value === undefined) return whyLimits.messagesNamed;
  const most = 9_999;
  if (!/^[1-9]\d{0,3}$/.test(value))
    throw cliErrors.make('MACH1620', { option: '--messages', value, takes: takesCount(most) });
  return Number(value);
}
