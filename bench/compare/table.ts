/** What was measured as a table: a line for each query, a column for each contender, the ratio of the first to each. */
import { type Contender, versionOf } from './contenders.ts';
import { isMissing, type Measurement, type Outcome } from './measure.ts';
import { spreadOf } from './spread.ts';

const thousands = (rate: number) => Math.round(rate / 1_000).toLocaleString('en');

/** Markdown. Our figure is the median of the better of ours, a peer's its best run. */
export function comparisonTable(outcomes: readonly Outcome[], shown: readonly Contender[]): string {
  const own = shown.filter(({ isOwn }) => isOwn);
  const peers = shown.filter(({ isOwn }) => !isOwn);
  const title = own[0]?.title ?? '';
  const queries = [...new Set(outcomes.map(({ query }) => query))];
  const of = (query: string, name: string) =>
    outcomes.find((outcome) => outcome.query === query && outcome.contender === name);
  const lines = queries.map((query) => {
    const ours = bestOf(own.map(({ name }) => of(query, name)));
    const by = own.find(({ name }) => name === ours?.contender);
    const cell = by && by !== own[0] ? `${ownCell(ours)}, ${by.title}` : ownCell(ours);
    return `| ${[query, cell, ...peers.map((peer) => peerCell(ours, of(query, peer.name)))].join(' | ')} |`;
  });
  return [
    `| query | ${[title, ...peers.map((peer) => peer.title)].join(' | ')} |`,
    `| --- | ${[title, ...peers].map(() => '---:').join(' | ')} |`,
    ...lines,
    '',
    `Thousand events/s. ${title}: median (least to most), processor seconds for a million events; of one worker, unless it says that two were faster. Peers: best run, then how many times ` +
      `${title}'s median is that (in brackets by processor time, again the best of the peer against the median). Turns: the median of the ratios of two runs of one turn, ` +
      'which stood beside each other in time, so that a busy moment falls on both.',
    '',
    ...missingLines(outcomes, shown),
    ...fewerEventsLines(outcomes, shown),
    '',
    '| contender | version | delivery | checkpoints | state | workers |',
    '| --- | --- | --- | --- | --- | --- |',
    ...shown.map(
      (one) => `| ${[one.title, versionOf(one), one.delivery, one.checkpoints, one.state, one.workers].join(' | ')} |`,
    ),
  ].join('\n');
}

/** The fastest by its median. */
export function bestOf(outcomes: readonly (Outcome | undefined)[]): Measurement | undefined {
  const measured = outcomes.filter((outcome): outcome is Measurement => outcome !== undefined && !isMissing(outcome));
  return measured.reduce<Measurement | undefined>(
    (best, one) => (best && best.eventsPerSecond.median >= one.eventsPerSecond.median ? best : one),
    undefined,
  );
}

function ownCell(outcome: Outcome | undefined): string {
  if (!outcome || isMissing(outcome)) return 'absent';
  const { least, median, most } = outcome.eventsPerSecond;
  const cpu = outcome.cpuSecondsPerMillion.median.toFixed(2);
  return `${thousands(median)} (${thousands(least)} to ${thousands(most)}), ${cpu} s`;
}

function peerCell(ours: Outcome | undefined, peer: Outcome | undefined): string {
  if (!peer || isMissing(peer)) return 'absent';
  const rate = thousands(peer.eventsPerSecond.most);
  if (!ours || isMissing(ours)) return rate;
  const { wall, processor, inTurns } = ratios(ours, peer);
  const turns = inTurns === undefined ? '' : `, turns ${inTurns.toFixed(2)}x`;
  return `${rate} · ${wall.toFixed(2)}x (${processor.toFixed(2)}x)${turns}`;
}

export interface Ratios {
  /** Our median against the peer's best. */
  readonly wall: number;
  readonly processor: number;
  /** The median over the turns. */
  readonly inTurns: number | undefined;
}

/** How many times as fast we are. */
export function ratios(ours: Measurement, peer: Measurement): Ratios {
  const [own, others] = [ours.turns ?? [], peer.turns ?? []];
  const byTurn = own.map((rate, turn) => rate / (others[turn] ?? Number.NaN));
  return {
    wall: ours.eventsPerSecond.median / peer.eventsPerSecond.most,
    processor: peer.cpuSecondsPerMillion.least / ours.cpuSecondsPerMillion.median,
    inTurns: own.length > 0 && own.length === others.length ? spreadOf(byTurn).median : undefined,
  };
}

function missingLines(outcomes: readonly Outcome[], shown: readonly Contender[]): string[] {
  // That a query has one worker alone stands with the contender of two.
  const others = shown.filter(({ isOwn }) => isOwn).slice(1);
  const told = outcomes.filter(isMissing).filter(({ contender }) => !others.some(({ name }) => name === contender));
  return told.map(({ query, contender, reason }) => {
    const title = shown.find(({ name }) => name === contender)?.title ?? contender;
    return `- ${query}, ${title}: ${reason.split('\n')[0]}`;
  });
}

/** A slow contender is timed over fewer events. */
function fewerEventsLines(outcomes: readonly Outcome[], shown: readonly Contender[]): string[] {
  const measured = outcomes.filter((outcome): outcome is Measurement => !isMissing(outcome));
  const most = Math.max(0, ...measured.map(({ events }) => events));
  return shown.flatMap(({ name, title }) => {
    const fewer = measured.filter(({ contender, events }) => contender === name && events < most);
    const sizes = [...new Set(fewer.map(({ events }) => events))];
    return sizes.map((size) => {
      const names = fewer.filter(({ events }) => events === size).map(({ query }) => query);
      return `- ${title}: ${size.toLocaleString('en')} events in ${names.join(', ')}`;
    });
  });
}
