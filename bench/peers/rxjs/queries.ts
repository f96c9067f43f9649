/**
 * The queries as chains of RxJS that carry one event at a time: `filter` and `map` where there is no state; else the state of the
 * hand-written loop, in an operator of its own behind a `filter` of what it reads.
 */
import { filter, map, Observable, type OperatorFunction, Subject } from 'rxjs';
import type { NexmarkEvent } from '../../../connectors/nexmark/schema.ts';
import { loopQueries } from '../loop/queries.ts';
import { channelIdOf, countLetterC, kindOfTime } from '../loop/stateless.ts';
import type { Emit, PeerQuery, RunningQuery } from '../stream.ts';

type Row = readonly unknown[];
type Chain = (events: Observable<NexmarkEvent>) => Observable<Row>;

const isBid = ({ kind }: NexmarkEvent) => kind === 'bid';
const bids = filter(isBid);

const chains: Readonly<Record<string, Chain>> = {
  q0: (events) =>
    events.pipe(
      bids,
      map(({ auction, bidder, price, date_time, extra }) => [auction, bidder, price, date_time, extra]),
    ),
  q1: (events) =>
    events.pipe(
      bids,
      map((b) => [b.auction, b.bidder, 0.908 * (b.price as number), b.date_time, b.extra]),
    ),
  q2: (events) =>
    events.pipe(
      bids,
      filter(({ auction }) => (auction as number) % 123 === 0),
      map(({ auction, price }) => [auction, price]),
    ),
  q13: (events) => {
    const side = Array.from({ length: 10_000 }, (_, key) => String(key));
    return events.pipe(
      bids,
      map((b) => [b.auction, b.bidder, b.price, b.date_time, side[(b.auction as number) % side.length]]),
    );
  },
  q14: (events) =>
    events.pipe(
      bids,
      map((bid) => ({ bid, euros: 0.908 * (bid.price as number) })),
      filter(({ euros }) => euros > 1_000_000 && euros < 50_000_000),
      map(({ bid: { auction, bidder, date_time, extra }, euros }) => [
        ...[auction, bidder, euros, kindOfTime(date_time), date_time, extra, countLetterC(extra)],
      ]),
    ),
  q21: (events) =>
    events.pipe(
      bids,
      map((b) => [b.auction, b.bidder, b.price, b.channel, channelIdOf(b.channel as string, b.url as string)]),
      filter((row) => row[4] !== undefined),
    ),
  q22: (events) =>
    events.pipe(
      bids,
      map((bid) => ({ bid, parts: (bid.url as string).split('/') })),
      map(({ bid: { auction, bidder, price, channel }, parts }) => [
        ...[auction, bidder, price, channel, parts[3], parts[4], parts[5]],
      ]),
    ),
};

/** The state of the loop as an operator. */
function withStateOf(running: (emit: Emit) => RunningQuery): OperatorFunction<NexmarkEvent, Row> {
  return (events) =>
    new Observable((rows) => {
      const state = running((row) => rows.next(row));
      return events.subscribe({
        next: (event) => state.event(event),
        error: (error) => rows.error(error),
        complete: () => {
          state.end?.();
          // Rows of files are still to come.
          if (!state.collect) rows.complete();
        },
      });
    });
}

const readsOtherKinds = new Set(['q3', 'q4', 'q8', 'q9', 'q20', 'q23']);

function asPeerQuery(name: string, query: PeerQuery): PeerQuery {
  return {
    ...query,
    open(emit) {
      const events = new Subject<NexmarkEvent>();
      let state: RunningQuery | undefined;
      const withState = withStateOf((give) => {
        state = query.open(give);
        return state;
      });
      const wanted = readsOtherKinds.has(name) ? events : events.pipe(bids);
      const rows = chains[name]?.(events) ?? wanted.pipe(withState);
      rows.subscribe(emit);
      return {
        event: (event) => events.next(event),
        end: () => events.complete(),
        collect: () => state?.collect?.(),
      };
    },
  };
}

export const rxjsQueries: Readonly<Record<string, PeerQuery>> = Object.fromEntries(
  Object.entries(loopQueries).map(([name, query]) => [name, asPeerQuery(name, query)]),
);
