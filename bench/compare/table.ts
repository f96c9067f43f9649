/** What was measured as a table: a line for each query, a column for each contender, the ratio of the first to each. */
import { type Contender, versionOf } from './contenders.ts';
import { isMissing, type Measurement, type Outcome } from './measure.ts';

const thousands = (rate: number) => Math.round(rate / 1_000).toLocaleString('en');

/** Markdown. Our figure is the median, a peer's its best run. */
export function comparisonTable(outcomes: readonly Outcome[], shown: readonly Contender[]): string {
  const [own, ...peers] = shown as [Contender, ...Contender[]];
  const queries = [...new Set(outcomes.map(({ query }) => query))];
  const of = (query: string, name: string) =>
    outcomes.find((outcome) => outcome.query === query && outcome.contender === name);
  const lines = queries.map((query) => {
    const ours = of(query, own.name);
    return `| ${[query, ownCell(ours), ...peers.map((peer) => peerCell(ours, of(query, peer.name)))].join(' | ')} |`;
  });
  return [
    `| query | ${[own, ...peers].map(({ title }) => title).join(' | ')} |`,
    `| --- | ${shown.map(() => '---:').join(' | ')} |`,
    ...lines,
    '',
    `Thousand events/s. ${own.title}: median (least to most), processor seconds for a million events. Peers: best run, then how many times ` +
      `${own.title}'s median is that (in brackets by processor time).`,
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
  const { wall, processor } = ratios(ours, peer);
  return `${rate} · ${wall.toFixed(2)}x (${processor.toFixed(2)}x)`;
}

/** How many times as fast we are, our median against the peer's best. */
export function ratios(ours: Measurement, peer: Measurement): { wall: number; processor: number } {
  return {
    wall: ours.eventsPerSecond.median / peer.eventsPerSecond.most,
    processor: peer.cpuSecondsPerMillion.least / ours.cpuSecondsPerMillion.median,
  };
}

function missingLines(outcomes: readonly Outcome[], shown: readonly Contender[]): string[] {
  return outcomes.filter(isMissing).map(({ query, contender, reason }) => {
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
