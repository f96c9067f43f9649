/** What a sink is given to work with in its own tests. */
import type { Clock, Event, SinkContext, SinkRow, Store } from '../../runtime/stream/index.ts';

const noStore = new Proxy({} as Store, {
  get() {
    throw new Error('this sink has no store');
  },
});

export interface TestSinkContext extends SinkContext {
  readonly stop: AbortController;
  readonly published: { subject: string; text: string }[];
  readonly counts: Map<string, number>;
}

export function testSinkContext({
  clock,
  node = 'test',
  publishBytesMax = Number.POSITIVE_INFINITY,
}: {
  clock: Clock;
  node?: string;
  publishBytesMax?: number;
}): TestSinkContext {
  const stop = new AbortController();
  const published: { subject: string; text: string }[] = [];
  const counts = new Map<string, number>();
  return {
    node,
    clock,
    stop,
    published,
    counts,
    signal: stop.signal,
    store: noStore,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    publishBytesMax,
    publish: (subject, payload) => void published.push({ subject, text: Buffer.from(payload).toString() }),
    count(metric, by, labels) {
      const name = labels ? `${metric} ${Object.values(labels).join(' ')}` : metric;
      counts.set(name, (counts.get(name) ?? 0) + by);
    },
  };
}

/** Rows as a sink runner gives them, in the sequence of the events. */
export function sinkRows(events: readonly Event[]): SinkRow[] {
  return events.map((event, index) => ({
    event,
    time: index,
    stage: 'main',
    partition: 0,
    sequence: 1 + index,
    index: 0,
  }));
}
