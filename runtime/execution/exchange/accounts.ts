/**
 * The accounts of a topology in several partitions. An event may be handled by several of them, in several stages; each part tells what became
 * of it there, by a lane that leads to the stage of the accounts. That stage hears everything that is known of a source message before it
 * counts its events, each of them once: so the accounts are those of one partition.
 */

import { outcome, type Settled, together } from '../../stream/ledger.ts';
import { defineSchema, type Event, field } from '../../stream/schema.ts';
import { accountsStage, type StagePart } from '../stage-part.ts';
import type { PassedLink } from './exchange-frame.ts';
import type { ExchangeStep } from './exchange-merge.ts';
import type { ExchangeOutput } from './pass-exchanges.ts';

/** Stands among the exchanges of a lane; no edge has this name. */
export const accountsExchange = '~accounts';

export const accountsSchema = defineSchema({
  outcomes: field.string({
    description: 'runs of one outcome: its letter, and how many where it is more than one',
  }),
  reasons: field.json({ nullable: true, description: 'why events were dropped, and which' }),
  dead: field.int(),
  redriven: field.int(),
});

const letters = '-fxldo';

/** Whether anything is known of any of the events. */
function saysSomething({ outcomes, dead, redriven }: Settled): boolean {
  if (dead > 0 || redriven > 0) return true;
  for (let cause = 0; cause < outcomes.length; cause++) if (outcomes[cause] !== outcome.none) return true;
  return false;
}

function encodeSettled({ outcomes, reasons, dead, redriven }: Settled): Event {
  const causes: Record<string, number[]> = {};
  for (const [cause, reason] of reasons) {
    const known = Object.hasOwn(causes, reason) ? causes[reason] : undefined;
    if (known) known.push(cause);
    else causes[reason] = [cause];
  }
  return { outcomes: encodeOutcomes(outcomes), reasons: reasons.size > 0 ? causes : null, dead, redriven };
}

const letterCodes = Buffer.from(letters, 'latin1');
const zeroCode = 48;
const isDigit = (code: number) => code >= zeroCode && code < zeroCode + 10;

/** A run of two or more takes no more characters than it has events. */
function encodeOutcomes(outcomes: ArrayLike<number>): string {
  const { length } = outcomes;
  const text = Buffer.allocUnsafe(length);
  let written = 0;
  for (let from = 0; from < length; ) {
    const result = outcomes[from] as number;
    let to = from + 1;
    while (to < length && outcomes[to] === result) to++;
    text[written++] = letterCodes[result] as number;
    const run = to - from;
    if (run > 9) written += text.write(String(run), written, 'latin1');
    else if (run > 1) text[written++] = zeroCode + run;
    from = to;
  }
  return text.toString('latin1', 0, written);
}

function decodeSettled({ outcomes, reasons, dead, redriven }: Event): Settled {
  const byCause = Object.entries((reasons ?? {}) as Record<string, number[]>).flatMap(([reason, causes]) =>
    causes.map((cause) => [cause, reason] as const),
  );
  return {
    outcomes: decodeOutcomes(String(outcomes)),
    reasons: new Map(byCause),
    dead: dead as number,
    redriven: redriven as number,
  };
}

/** There is one of these texts for each source message of each partition, with a run for each event where keys take turns. */
function decodeOutcomes(text: string): number[] {
  const results: number[] = [];
  for (let at = 0; at < text.length; ) {
    const result = letters.indexOf(text.charAt(at++));
    let run = 0;
    for (; at < text.length && isDigit(text.charCodeAt(at)); at++) run = run * 10 + text.charCodeAt(at) - zeroCode;
    for (let left = run || 1; left > 0; left--) results.push(result);
  }
  return results;
}

/** Tells by the lane of the accounts what became of events here. */
export function tellAccounts(args: {
  readonly part: StagePart;
  readonly sequence: number;
  readonly settled: Settled;
  /** The letter that is going in again. */
  readonly redrive: PassedLink | undefined;
  readonly to: ExchangeOutput | undefined;
}): void {
  const { part, sequence, settled, redrive, to } = args;
  // How many events a message has is known from the first partition; of a redriven letter whoever takes it in tells.
  const mustTell = redrive !== undefined || (part.stage === 1 && part.partition === 0);
  if (!mustTell && !saysSomething(settled)) return;
  const place = { exchange: accountsExchange, sequence, wave: 0, cause: -1, time: 0, acceptedAt: 0 };
  to?.row(accountsStage, 0, { ...place, event: encodeSettled(settled), ...(redrive && { redrive }) });
}

/** All that was told of the events of one source message. */
export function toldOf({ waves }: ExchangeStep): Settled {
  return together(waves.flatMap(({ rows }) => rows.map(({ event }) => decodeSettled(event))));
}
