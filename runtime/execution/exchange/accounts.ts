/**
 * The accounts of a topology in several partitions. An event may be handled by several of them, in several stages; each part tells what became
 * of it there, by a lane that leads to the stage of the accounts. That stage hears everything that is known of a source message before it
 * counts its events, each of them once: so the accounts are those of one partition.
 */

import type { Settled } from '../../stream/ledger.ts';
import { outcome } from '../../stream/ledger.ts';
import { defineSchema, type Event, field } from '../../stream/schema.ts';

/** Stands among the exchanges of a lane; no edge has this name. */
export const accountsExchange = '~accounts';

export const accountsSchema = defineSchema({
  outcomes: field.string({
    repeated: true,
    description: 'runs of one outcome: its letter, and how many where it is more than one',
  }),
  reasons: field.json({ nullable: true, description: 'why events were dropped, and which' }),
  dead: field.int(),
  redriven: field.int(),
});

const letters = '-fxldo';

/** Whether anything is known of any of the events. */
export function saysSomething({ outcomes, dead, redriven }: Settled): boolean {
  if (dead > 0 || redriven > 0) return true;
  for (let cause = 0; cause < outcomes.length; cause++) if (outcomes[cause] !== outcome.none) return true;
  return false;
}

export function encodeSettled({ outcomes, reasons, dead, redriven }: Settled): Event {
  let text = '';
  for (let from = 0; from < outcomes.length; ) {
    const result = outcomes[from] as number;
    let to = from + 1;
    while (to < outcomes.length && outcomes[to] === result) to++;
    text += `${letters[result]}${to - from > 1 ? to - from : ''}`;
    from = to;
  }
  const causes: Record<string, number[]> = {};
  for (const [cause, reason] of reasons) causes[reason] = [...(causes[reason] ?? []), cause];
  return { outcomes: text, reasons: reasons.size > 0 ? causes : null, dead, redriven };
}

export function decodeSettled({ outcomes, reasons, dead, redriven }: Event): Settled {
  const results: number[] = [];
  for (const [, letter = '-', count] of String(outcomes).matchAll(/([a-z-])(\d*)/g)) {
    const result = letters.indexOf(letter);
    for (let left = count ? Number(count) : 1; left > 0; left--) results.push(result);
  }
  const byCause = Object.entries((reasons ?? {}) as Record<string, number[]>).flatMap(([reason, causes]) =>
    causes.map((cause) => [cause, reason] as const),
  );
  return { outcomes: results, reasons: new Map(byCause), dead: dead as number, redriven: redriven as number };
}
