/** The ordinary sink `discard`, and when each row was with it. */
import { discard } from '../../connectors/discard/index.ts';
import type { Catalogue } from '../../runtime/stream/definition.ts';

/** A row as the sink got it: its event time, and the input message that caused it. */
export interface ArrivedRow {
  readonly time: number;
  readonly sequence: number;
  /** Moment at which the sink had it, ms. */
  readonly at: number;
}

export class Arrivals {
  private readonly batches: { at: number; times: number[]; sequences: number[] }[] = [];

  add(rows: Iterable<{ readonly time: number; readonly sequence: number }>, at: number): void {
    const batch: (typeof this.batches)[number] = { at, times: [], sequences: [] };
    for (const { time, sequence } of rows) {
      batch.times.push(time);
      batch.sequences.push(sequence);
    }
    this.batches.push(batch);
  }

  *rows(): IterableIterator<ArrivedRow> {
    for (const { at, times, sequences } of this.batches) {
      for (let row = 0; row < times.length; row++)
        yield { at, time: times[row] as number, sequence: sequences[row] as number };
    }
  }
}

/** `now`: the clock by which the events come. */
export function watched(catalogue: Catalogue, arrivals: Arrivals, now: () => number): Catalogue {
  const sink: typeof discard = {
    ...discard,
    bind(args) {
      const bound = discard.bind(args);
      return {
        ...bound,
        async open(context) {
          const running = await bound.open(context);
          return {
            ...running,
            write(rows, token) {
              arrivals.add(rows, now());
              return running.write(rows, token);
            },
          };
        },
      };
    },
  };
  return { ...catalogue, sinks: catalogue.sinks.map((one) => (one.name === discard.name ? sink : one)) };
}
