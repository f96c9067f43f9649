/** What was measured as tables and plots, one for each thing that grows. */
import { linePlot } from '../compare/plot.ts';
import type { Spread } from '../compare/spread.ts';
import type { Measurement } from './measure.ts';
import type { Subject } from './usage.ts';

const titles: Readonly<Record<Subject, { title: string; sizes: string }>> = {
  keys: { title: 'keys of a counting window', sizes: 'keys' },
  overlap: { title: 'overlap of the windows of q5', sizes: 'windows of an event' },
  partitions: { title: 'partitions in one process', sizes: 'partitions' },
  state: { title: 'size of the state, with and without checkpoints', sizes: 'keys' },
  events: { title: 'length of the stream', sizes: 'events' },
};

const bytesPerKeyMax = 200;
const keptRateMin = 0.9;

/**
 * The slope of a line through the points on logarithmic axes, by least squares: 0 where the cost does not change with the size, 1 where it
 * doubles when the size does.
 */
export function slopeOf(points: readonly { readonly size: number; readonly cost: number }[]): number {
  const logs = points.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
  const mean = (of: 'x' | 'y') => logs.reduce((sum, one) => sum + one[of], 0) / logs.length;
  const [x, y] = [mean('x'), mean('y')];
  const across = logs.reduce((sum, one) => sum + (one.x - x) ** 2, 0);
  return logs.reduce((sum, one) => sum + (one.x - x) * (one.y - y), 0) / across;
}

const seriesOf = (measured: readonly Measurement[]) => [...new Set(measured.map(({ series }) => series))];

/** Markdown. */
export function growthTable(by: Subject, measured: readonly Measurement[]): string {
  const { title, sizes } = titles[by];
  const runs = measured.filter((one) => one.eventsPerSecond !== undefined);
  const kept = measured.filter((one) => one.bytesPerKey !== undefined);
  return [
    `### By ${title}`,
    '',
    `| | ${sizes} | thousand events/s | CPU s per million | rows | checkpoints |`,
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...runs.map(runLine),
    '',
    ...seriesOf(runs).map((series) =>
      verdictLine(
        by,
        series,
        runs.filter((one) => one.series === series),
      ),
    ),
    ...(kept.length > 0 ? ['', ...memoryLines(kept)] : []),
    '',
  ].join('\n');
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const spread = ({ least, median, most }: Spread, text: (value: number) => string) =>
  least === most ? text(median) : `${text(median)} (${text(least)} to ${text(most)})`;
const none: Spread = { least: Number.NaN, median: Number.NaN, most: Number.NaN };

function runLine({ series, size, eventsPerSecond = none, cpuSecondsPerMillion = none, ...rest }: Measurement): string {
  const { rows = 0, checkpoints = none, checkpointBytes = 0 } = rest;
  const taken =
    checkpoints.median > 0 ? `${checkpoints.median}, ${(checkpointBytes / 2 ** 20).toFixed(1)} MiB` : 'none';
  const cells = [
    series,
    whole(size),
    spread(eventsPerSecond, (value) => whole(value / 1_000)),
    spread(cpuSecondsPerMillion, (value) => value.toFixed(2)),
    whole(rows),
    taken,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** From the smallest size to the largest. */
function verdictLine(by: Subject, series: string, own: readonly Measurement[]): string {
  const slope = slopeOf(
    own.map(({ size, cpuSecondsPerMillion = none }) => ({ size, cost: cpuSecondsPerMillion.median })),
  );
  const kept = keptRate(own);
  const ratio = `slope of CPU ${slope.toFixed(2)}, events/s at the largest ${(100 * kept).toFixed(0)} % of those at the smallest`;
  const target =
    by === 'events' ? ` (target: at least ${100 * keptRateMin} %: ${kept >= keptRateMin ? 'met' : 'NOT MET'})` : '';
  return `- ${series}: ${ratio}${target}`;
}

export function keptRate(own: readonly Measurement[]): number {
  const [first, last] = [own[0]?.eventsPerSecond, own.at(-1)?.eventsPerSecond];
  return (last?.median ?? Number.NaN) / (first?.median ?? Number.NaN);
}

function memoryLines(kept: readonly Measurement[]): string[] {
  const largest = kept.at(-1)?.bytesPerKey ?? none;
  return [
    '| keys | bytes of a key |',
    '| ---: | ---: |',
    ...kept.map(({ keys = 0, bytesPerKey = none }) => `| ${whole(keys)} | ${spread(bytesPerKey, whole)} |`),
    '',
    `- memory of a key (target: under ${bytesPerKeyMax} bytes, at the largest): ${largest.median < bytesPerKeyMax ? 'met' : 'NOT MET'}`,
  ];
}

/** By the name of their file. */
export function growthPlots(by: Subject, measured: readonly Measurement[]): Readonly<Record<string, string>> {
  const { title, sizes } = titles[by];
  const linesOf = (value: (one: Measurement) => Spread | undefined) =>
    seriesOf(measured)
      .map((name) => ({
        name,
        points: measured
          .filter(({ series }) => series === name)
          .flatMap((one) => {
            const found = value(one);
            return found ? [{ size: one.size, value: found }] : [];
          }),
      }))
      .filter(({ points }) => points.length > 0);
  const memory = linesOf((one) => one.bytesPerKey);
  return {
    [`growth-${by}.svg`]: linePlot(
      { title: `Throughput by ${title}`, unit: 'events/s', sizes },
      linesOf((one) => one.eventsPerSecond),
    ),
    ...(memory.length > 0 && {
      'growth-memory.svg': linePlot({ title: 'Memory of a key by their number', unit: 'bytes', sizes }, memory),
    }),
  };
}
